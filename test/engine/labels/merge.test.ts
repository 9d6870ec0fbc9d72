import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import {
  type LabelStore,
  openLabels,
  type PairRow,
  type PointRow,
} from "../../../src/engine/labels/labels.ts";
import { mergeLabels } from "../../../src/engine/labels/merge.ts";
import { ownPairs } from "../../../src/engine/labels/teacherAnswers.ts";

const root = mkdtempSync(path.join(tmpdir(), "leaf-merge-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const fresh = () => path.join(root, `${made++}.sqlite`);

/** A hash of which only the letter matters; `a` < `b` as the letters are. */
const h = (letter: string) => letter.padStart(32, "0");
const letterOf = (hash: string) => hash.slice(-1);

const point = (image: string, score: number): PointRow => ({
  image: h(image),
  ok: true,
  score,
  probabilities: [0.2, 0.2, 0.2, 0.2, 0.2],
  mass: 0.9,
  confidence: 0.5,
});
const pair = (a: string, b: string, p: number, pBA: number | null = p): PairRow => ({
  a: h(a),
  b: h(b),
  ok: true,
  p,
  pAB: p,
  pBA,
  positionBias: pBA === null ? null : 0,
  confidence: 0.4,
});
function storeOf(
  file: string,
  teachers: Record<string, { points?: PointRow[]; pairs?: PairRow[] }>,
): LabelStore {
  const store = openLabels(file);
  for (const [fingerprint, { points = [], pairs = [] }] of Object.entries(teachers)) {
    store.registerTeacher({ fingerprint, kind: "fake", description: { fingerprint } });
    store.putPoints(fingerprint, points);
    store.putPairs(fingerprint, pairs);
  }
  return store;
}

describe("merging label stores", () => {
  it("takes over what is missing, keeps what is known, and may be repeated", () => {
    const file = fresh();
    const other = storeOf(file, {
      t: { points: [point("b", 4), point("a", 2)], pairs: [pair("a", "b", 0.3)] },
      u: { points: [point("c", 5)] },
    });
    other.putReasons("t", [{ image: h("a"), text: "blur" }]);
    other.close();
    const store = storeOf(fresh(), { t: { points: [point("a", 1)] } });
    expect(mergeLabels(store, file)).toEqual({
      teachers: 2,
      points: 2,
      pairs: 1,
      reasons: 1,
      known: { points: 1, pairs: 0 },
    });
    expect([...store.points("t")].map(({ image, score }) => [letterOf(image), score])).toEqual([
      ["a", 1],
      ["b", 4],
    ]);
    expect(store.pair("t", h("a"), h("b"))?.p).toBe(0.3);
    expect(store.point("u", h("c"))?.score).toBe(5);
    expect(store.reason("t", h("a"))).toBe("blur");
    expect(mergeLabels(store, file)).toMatchObject({
      points: 0,
      pairs: 0,
      reasons: 0,
      known: { points: 3, pairs: 1 },
    });
    store.close();
  });

  it("prefers both orders to one, a usable label to a failed one, and a person's newer word", async () => {
    const file = fresh();
    const other = storeOf(file, {
      t: { points: [point("a", 3)], pairs: [pair("a", "b", 0.8), pair("a", "c", 0.6, null)] },
    });
    const store = storeOf(fresh(), {
      t: {
        points: [{ image: h("a"), ok: false, reason: "stalled" }],
        pairs: [pair("a", "b", 0.1, null), pair("a", "c", 0.2)],
      },
    });
    store.overridePoint(h("a"), 1);
    await new Promise((done) => setTimeout(done, 5));
    other.overridePoint(h("a"), 5);
    other.overridePair(h("a"), h("b"), 1);
    other.close();
    mergeLabels(store, file);
    expect(store.ownScores("t").get(h("a"))).toBe(3);
    const own = ownPairs(store, "t", new Set([h("a"), h("b")]));
    expect([...own].map(({ confidence }) => confidence)).toEqual([0.4]);
    expect(store.pair("t", h("a"), h("c"))?.p).toBe(0.2);
    expect(store.point("t", h("a"))).toMatchObject({ human: true, score: 5 });
    expect(store.pair("t", h("a"), h("b"))).toMatchObject({ human: true, p: 1 });
    store.close();
  });

  it("reads a store of the first schema and refuses what is none", () => {
    const file = fresh();
    storeOf(file, { t: { points: [point("a", 3)] } }).close();
    const old = new DatabaseSync(file);
    old.exec("DROP TABLE reasons; PRAGMA user_version = 1");
    old.close();
    const store = openLabels(fresh());
    expect(mergeLabels(store, file)).toMatchObject({ points: 1, reasons: 0 });
    const text = fresh();
    writeFileSync(text, "no database at all, but long enough to look like a file");
    expect(() => mergeLabels(store, text)).toThrow(/not a database/);
    expect(() => mergeLabels(store, path.join(root, "none.sqlite"))).toThrow(/does not exist/);
    const empty = fresh();
    new DatabaseSync(empty).exec("CREATE TABLE x(y)");
    expect(() => mergeLabels(store, empty)).toThrow(/not a label store/);
    expect(mergeLabels(store, file)).toMatchObject({ points: 0 });
    store.close();
  });

  it("gives the union, whichever store is merged into which", () => {
    const images = ["a", "b", "c", "d"];
    const some = fc.uniqueArray(fc.constantFrom(...images));
    fc.assert(
      fc.property(some, some, (first, second) => {
        // A frozen teacher: both stores hold the same answer of it.
        const of = (names: string[]) => ({
          t: { points: names.map((name) => point(name, 1 + images.indexOf(name))) },
        });
        const [one, two] = [fresh(), fresh()];
        storeOf(one, of(first)).close();
        storeOf(two, of(second)).close();
        const [left, right] = [openLabels(one), openLabels(two)];
        mergeLabels(left, two);
        mergeLabels(right, one);
        const scores = (store: LabelStore) =>
          [...store.points("t")].map(({ image, score }) => [letterOf(image), score]);
        const union = [...new Set([...first, ...second])].sort();
        expect(scores(left)).toEqual(union.map((name) => [name, 1 + images.indexOf(name)]));
        expect(scores(right)).toEqual(scores(left));
        left.close();
        right.close();
      }),
      { numRuns: 25 },
    );
  });
});
