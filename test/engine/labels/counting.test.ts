import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultMinConfidence } from "../../../src/engine/config/config.ts";
import { countedNow, leastConfidence } from "../../../src/engine/labels/counting.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { writeLabelSnapshot } from "../../../src/engine/labels/snapshot.ts";
import { openBrowser } from "../../../src/engine/views/browse.ts";
import { pairs } from "../../../src/engine/views/pairViews.ts";
import type { PairQuery } from "../../../src/protocol/images.ts";
import type { LabelResult } from "../../../src/protocol/results.ts";
import { headline } from "../../../src/words/headline.ts";
import { english } from "../../../src/words/translate.ts";
import {
  hashOf,
  learned,
  liveContext,
  liveProject,
  pairRow,
  pointRow,
  putIndex,
  putLabels,
} from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const everything: PairQuery = { show: "all", sort: "sampled", descending: false, offset: 0, limit: 1000 };
const images = Array.from({ length: 12 }, (_, i) => hashOf(i));

interface Pair {
  a: number;
  b: number;
  /** The teacher's own, where it was asked. */
  own: { p: number; confidence: number } | null;
  person: number | null;
}
interface Point {
  image: number;
  own: number | null;
  person: number | null;
}
interface Rule {
  minConfidence: number;
  confidence: boolean;
}

/** What a training has to learn, worked out from what was put into the store alone. */
function wanted(points: Point[], labels: Pair[], { minConfidence, confidence }: Rule) {
  const weightOf = ({ own, person }: Pair) => {
    if (person !== null || !confidence) return 1;
    return own!.confidence > 0 && own!.confidence >= minConfidence ? own!.confidence : 0;
  };
  const known = labels.filter(({ own, person }) => own || person !== null);
  return {
    points: points
      .filter(({ own, person }) => own !== null || person !== null)
      .map(({ image, own, person }) => [hashOf(image), person ?? own])
      .sort(),
    pairs: known
      .filter((label) => weightOf(label) > 0)
      .map((label) => [hashOf(label.a), hashOf(label.b), label.person ?? label.own!.p, weightOf(label)])
      .sort(),
    discarded: known.filter((label) => weightOf(label) === 0).length,
  };
}

function world(points: Point[], labels: Pair[], { minConfidence, confidence }: Rule) {
  const project = liveProject(temporaryFolder(), {
    label: { minConfidence },
    distill: { loss: { confidence } },
  });
  putIndex(
    project,
    images.map((hash, i) => ({ path: `${i}.jpg`, hash })),
  );
  putLabels(
    project,
    "t",
    points.flatMap(({ image, own }) => (own === null ? [] : [pointRow(hashOf(image), own)])),
    labels.flatMap(({ a, b, own }) => (own ? [pairRow(hashOf(a), hashOf(b), own.p, own.confidence)] : [])),
  );
  const store = openLabels(project.labelsFile);
  for (const { image, person } of points) store.overridePoint(hashOf(image), person);
  for (const { a, b, person } of labels) store.overridePair(hashOf(a), hashOf(b), person);
  return { project, store };
}

async function counted(points: Point[], labels: Pair[], rule: Rule) {
  const { project, store } = world(points, labels, rule);
  const least = leastConfidence(project.config, defaultMinConfidence);
  const file = path.join(project.root, "snapshot.sqlite");
  writeLabelSnapshot(store, file, {
    teacher: "t",
    images: new Set(images),
    pairs: labels.map(({ a, b }) => [hashOf(a), hashOf(b)]),
    minConfidence: least,
  });
  const asked = labels.filter(({ own }) => own).map(({ a, b }) => [hashOf(a), hashOf(b)] as const);
  const weights = store.pairWeights("t", asked, "both", least);
  const counts = store.counts("t", least);
  store.close();
  const browser = openBrowser(project);
  browser.setContext(liveContext(project));
  const listed = async (show: PairQuery["show"]) => (await pairs(browser, { ...everything, show })).rows;
  const view = {
    kept: await listed("kept"),
    discarded: await listed("discarded"),
    all: await listed("all"),
  };
  browser.close();
  return { least, learned: learned(file), counts, weights, asked, view };
}

const point = fc.record({
  image: fc.integer({ min: 0, max: 11 }),
  own: fc.option(fc.constantFrom(1, 2.5, 5)),
  person: fc.option(fc.constantFrom(1, 4), { freq: 2 }),
});
const pair = fc.record({
  a: fc.integer({ min: 0, max: 5 }),
  b: fc.integer({ min: 6, max: 11 }),
  own: fc.option(
    fc.record({
      p: fc.constantFrom(0, 0.3, 0.5, 0.9, 1),
      confidence: fc.constantFrom(0, 0.04, 0.1, 0.3, 0.6, 1),
    }),
    { freq: 5 },
  ),
  person: fc.option(fc.constantFrom(0, 0.5, 1), { freq: 2 }),
});
const rule = fc.record({ minConfidence: fc.constantFrom(0, 0.1, 0.3, 1), confidence: fc.boolean() });

describe("the labels that count", () => {
  it("without `distill.loss.confidence` are all of them, wherever they are counted", async () => {
    const labels = [0.04, 0.6, 0, 0.1].map((confidence, i) => ({
      a: i,
      b: i + 6,
      own: { p: 0.9, confidence },
      person: null,
    }));
    const all = await counted([], labels, { minConfidence: 0.1, confidence: false });
    expect(all.learned.pairs.map(([, , , weight]) => weight)).toEqual([1, 1, 1, 1]);
    expect(all.counts.pairs).toMatchObject({ kept: 4, discarded: 0 });
    expect([all.view.kept.length, all.view.discarded.length]).toEqual([4, 0]);
    const some = await counted([], labels, { minConfidence: 0.1, confidence: true });
    expect(some.learned.pairs.map(([, , , weight]) => weight)).toEqual([0.6, 0.1]);
    expect(some.counts.pairs).toMatchObject({ kept: 2, discarded: 2 });
    expect([some.view.kept.length, some.view.discarded.length]).toEqual([2, 2]);
  });

  it("are the same to the trainer, the counts and the views, for any labels, words of people and config", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(point, { selector: ({ image }) => image, maxLength: 8 }),
        fc.uniqueArray(pair, { selector: ({ a, b }) => `${a} ${b}`, maxLength: 12 }),
        rule,
        async (points, labels, given) => {
          const right = wanted(points, labels, given);
          const { learned: rows, counts, weights, asked, view } = await counted(points, labels, given);
          expect(rows).toEqual({ points: right.points, pairs: right.pairs });
          expect(counts.pairs).toMatchObject({ kept: right.pairs.length, discarded: right.discarded });
          const name = (a: string, b: string) => `${a} ${b}`;
          const kept = new Map(right.pairs.map(([a, b, , weight]) => [name(`${a}`, `${b}`), Number(weight)]));
          expect(new Set(view.kept.map(({ a, b }) => name(a.hash, b.hash)))).toEqual(new Set(kept.keys()));
          expect(view.discarded).toHaveLength(right.discarded);
          for (const row of view.all) expect(row.kept).toBe(kept.has(name(row.a.hash, row.b.hash)));
          expect(weights).toEqual(asked.map(([a, b]) => kept.get(name(a, b)) ?? 0));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("give a person's word its full weight, also one that was imported with less", () => {
    const { project, store } = world([], [], { minConfidence: 0.3, confidence: true });
    store.putPairs("human", [pairRow(hashOf(0), hashOf(6), 1, 0.05)]);
    const file = path.join(project.root, "snapshot.sqlite");
    writeLabelSnapshot(store, file, {
      teacher: "t",
      images: new Set(images),
      pairs: [],
      minConfidence: 0.3,
    });
    expect(store.counts("t", 0.3).pairs).toMatchObject({ kept: 1, discarded: 0 });
    store.close();
    expect(learned(file).pairs).toEqual([[hashOf(0), hashOf(6), 1, 1]]);
  });
});

describe("the headline of the label stage", () => {
  const result: LabelResult = {
    images: 4000,
    points: { labelled: 4000, reused: 0, failed: 0 },
    pairs: { labelled: 16_000, reused: 0, failed: 0, kept: 14_088, discarded: 1912 },
    minConfidence: 0.1,
  };
  const told = (one: LabelResult, least: number | null) => headline(english, "label", countedNow(one, least));

  it("says how many pairs count now", () => {
    expect(told(result, 0.1)).toBe("4,000 images, 16,000 pairs (1,912 discarded)");
    expect(told(result, null)).toBe("4,000 images, 16,000 pairs (0 discarded)");
    // How many it is by another confidence is not known until the stage runs again.
    expect(told(result, 0.3)).toBe("4,000 images, 16,000 pairs");
  });

  it("of a former version is told as it was written", () => {
    const { minConfidence: _, ...former } = result;
    expect(told(former, 0.1)).toBe("4,000 images, 16,000 pairs (1,912 discarded)");
    expect(told(former, null)).toBe("4,000 images, 16,000 pairs (0 discarded)");
  });
});
