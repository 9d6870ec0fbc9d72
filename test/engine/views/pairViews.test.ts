import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { sigmoid } from "../../../src/engine/teachers/judgement.ts";
import { openBrowser } from "../../../src/engine/views/browse.ts";
import { overrulePair, pairs } from "../../../src/engine/views/pairViews.ts";
import type { PairQuery, PairRow } from "../../../src/protocol/images.ts";
import {
  embeddedScorer,
  hashOf,
  liveContext,
  liveProject,
  pairRow,
  putIndex,
  putLabels,
  putScores,
} from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const everything: PairQuery = { show: "all", sort: "sampled", descending: false, offset: 0, limit: 1000 };
const nameOf = (row: PairRow) => `${Number(row.a.hash)}-${Number(row.b.hash)}`;

describe("pairs", () => {
  it("lets a person overrule the teacher in any order of the two, and take it back", async () => {
    const project = liveProject(temporaryFolder());
    putIndex(
      project,
      [1, 2].map((i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
    );
    putLabels(project, "t", [], [{ ...pairRow(hashOf(1), hashOf(2), 0.9, 0.5, 1.5) }]);
    putScores(project, "calibrate-1", [
      [hashOf(1), 4],
      [hashOf(2), 2],
    ]);
    const browser = openBrowser(project);
    browser.setContext(liveContext(project));
    const asked = { a: { path: "1.jpg" }, b: { path: "2.jpg" }, pAB: 0.9, pBA: 0.9, positionBias: 1.5 };
    const before = (await pairs(browser, everything)).rows;
    expect(before).toMatchObject([
      { ...asked, p: 0.9, confidence: 0.5, kept: true, human: null, studentDisagrees: false },
    ]);
    const overruled = overrulePair(browser, hashOf(2), hashOf(1), 1);
    expect(overruled).toMatchObject({ ...asked, p: 0, confidence: 1, human: 0, studentDisagrees: true });
    expect(await pairs(browser, everything)).toEqual({ rows: [overruled], total: 1 });
    expect((await pairs(browser, { ...everything, show: "human" })).total).toBe(1);
    expect(overrulePair(browser, hashOf(1), hashOf(2), null)).toEqual(before[0]);
    expect((await pairs(browser, { ...everything, show: "human" })).total).toBe(0);
    browser.setContext(liveContext(project, { scorer: embeddedScorer }));
    expect((await pairs(browser, everything)).rows[0]!.studentDisagrees).toBeNull();
    browser.close();
  });

  it("has no row left where a person takes back the only word on a pair", () => {
    const project = liveProject(temporaryFolder());
    putIndex(
      project,
      [1, 2].map((i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
    );
    const browser = openBrowser(project);
    browser.setContext(liveContext(project));
    expect(overrulePair(browser, hashOf(1), hashOf(2), 0.5)).toMatchObject({
      p: 0.5,
      pAB: null,
      human: 0.5,
      kept: true,
    });
    expect(overrulePair(browser, hashOf(1), hashOf(2), null)).toBeNull();
    browser.close();
  });

  it("counts as kept what is learnt from: both images train", async () => {
    const project = liveProject(temporaryFolder());
    putIndex(
      project,
      [1, 2, 3].map((i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
    );
    const sure = (a: number, b: number) => pairRow(hashOf(a), hashOf(b), 0.9, 0.5);
    putLabels(project, "t", [], [sure(1, 2), sure(1, 3)]);
    const browser = openBrowser(project);
    const named = async (show: PairQuery["show"]) =>
      (await pairs(browser, { ...everything, show })).rows.map((row) => [nameOf(row), row.kept]);
    browser.setContext(liveContext(project, { splitOf: (hash) => (hash === hashOf(3) ? "val" : "train") }));
    expect(await named("all")).toEqual([
      ["1-2", true],
      ["1-3", false],
    ]);
    expect(await named("kept")).toEqual([["1-2", true]]);
    expect(await named("discarded")).toEqual([["1-3", false]]);
    // Another split is seen at once.
    browser.setContext(liveContext(project, { splitOf: () => "train" }));
    expect(await named("kept")).toHaveLength(2);
    browser.close();
  });

  const label = fc.record({
    a: fc.integer({ min: 0, max: 5 }),
    b: fc.integer({ min: 6, max: 11 }),
    p: fc.constantFrom(0.1, 0.5, 0.8),
    confidence: fc.constantFrom(0, 0.05, 0.1, 0.6),
    bias: fc.constantFrom(-2, 0, 1),
    human: fc.option(fc.constantFrom(0, 0.5, 1), { freq: 3 }),
  });
  const question = fc.record({
    show: fc.constantFrom("all", "kept", "discarded", "disagreement", "human"),
    sort: fc.constantFrom("confidence", "bias", "disagreement", "sampled"),
    descending: fc.boolean(),
    confidence: fc.option(fc.constant<[number, number]>([0.05, 0.7]), { nil: undefined }),
    image: fc.option(fc.integer({ min: 0, max: 7 }).map(hashOf), { nil: undefined, freq: 2 }),
    offset: fc.integer({ min: 0, max: 4 }),
    limit: fc.integer({ min: 1, max: 9 }),
  }) as fc.Arbitrary<PairQuery>;

  it("agree with what training takes, filtered and sorted", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(label, { selector: ({ a, b }) => `${a} ${b}`, maxLength: 15 }),
        fc.array(question, { minLength: 6, maxLength: 12 }),
        async (labels, questions) => {
          const project = liveProject(temporaryFolder(), { distill: { loss: { temperature: 0.7 } } });
          // Image 11 is of another project that shares the store.
          putIndex(
            project,
            Array.from({ length: 11 }, (_, i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
          );
          putScores(
            project,
            "calibrate-1",
            Array.from({ length: 8 }, (_, i) => [hashOf(i), 1 + ((i * 5) % 8) / 2]),
          );
          putLabels(
            project,
            "t",
            [],
            labels.map(({ a, b, p, confidence, bias }) => pairRow(hashOf(a), hashOf(b), p, confidence, bias)),
          );
          const store = openLabels(project.labelsFile);
          for (const { a, b, human } of labels)
            if (human !== null) store.overridePair(hashOf(a), hashOf(b), human);
          const training = [...store.pairs("t")].filter(({ b }) => b !== hashOf(11));
          store.close();
          const browser = openBrowser(project);
          browser.setContext(liveContext(project));
          try {
            const { rows, total } = await pairs(browser, everything);
            expect(total).toBe(training.length);
            expect(
              new Set(rows.map(({ a, b, p, confidence }) => [a.hash, b.hash, p, confidence].join())),
            ).toEqual(new Set(training.map(({ a, b, p, confidence }) => [a, b, p, confidence].join())));
            for (const query of questions) {
              const wanted = rows.filter((row) => matches(row, query)).map((row) => keyOf(row, rows, query));
              wanted.sort((x, y) => order(x, y, query.descending));
              const page = await pairs(browser, query);
              expect(page.total).toBe(wanted.length);
              expect(page.rows.map(nameOf)).toEqual(
                wanted.slice(query.offset, query.offset + query.limit).map(({ row }) => nameOf(row)),
              );
            }
          } finally {
            browser.close();
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

const isKept = (confidence: number, least: number) => confidence > 0 && confidence >= least;

function matches(row: PairRow, { show, confidence, image }: PairQuery): boolean {
  if (image && row.a.hash !== image && row.b.hash !== image) return false;
  if (confidence && (row.confidence < confidence[0] || row.confidence > confidence[1])) return false;
  if (show === "kept") return isKept(row.confidence, 0.1);
  if (show === "discarded") return !isKept(row.confidence, 0.1);
  if (show === "human") return row.human !== null;
  const [sa, sb] = [row.a.score, row.b.score];
  if (show === "disagreement")
    return sa !== null && sb !== null && ((row.p > 0.5 && sa < sb) || (row.p < 0.5 && sa > sb));
  return true;
}

function keyOf(row: PairRow, all: PairRow[], { sort }: PairQuery) {
  const [sa, sb] = [row.a.score, row.b.score];
  const place = all.indexOf(row);
  const keys: Record<PairQuery["sort"], number | null> = {
    sampled: place,
    confidence: row.confidence,
    bias: row.positionBias === null ? null : Math.abs(row.positionBias),
    disagreement: sa === null || sb === null ? null : Math.abs(row.p - sigmoid((sa - sb) / 0.7)),
  };
  return { row, place, key: keys[sort] };
}

function order(x: ReturnType<typeof keyOf>, y: ReturnType<typeof keyOf>, descending: boolean): number {
  if (x.key === null || y.key === null)
    return Number(x.key === null) - Number(y.key === null) || x.place - y.place;
  const difference = x.key - y.key;
  // Equal up to rounding of the two ways to compute it.
  return (Math.abs(difference) < 1e-12 ? 0 : descending ? -difference : difference) || x.place - y.place;
}
