import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { openScores, type ScoreRow } from "../../../src/engine/scoring/scores.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const hashOf = (n: number) => n.toString(16).padStart(32, "0");

function row(n: number, score: number): ScoreRow {
  return {
    hash: hashOf(n),
    score,
    probabilities: null,
    confidence: null,
    distance: score / 4,
    sd: score / 8,
  };
}

function open(file = path.join(temporaryFolder(), ".leaf", "cache", "scores.sqlite")) {
  const store = openScores(file);
  onTestFinished(() => {
    try {
      store.close();
    } catch {
      // The test closed it.
    }
  });
  return { store, file };
}

const images = fc.integer({ min: 0, max: 40 });
// Few different scores, so that there are ties.
const score = fc.integer({ min: 4, max: 20 }).map((n) => n / 4);
const scorer = fc.constantFrom("student-a", "student-b", "teacher");
const puts = fc.array(fc.record({ scorer, rows: fc.array(fc.tuple(images, score), { maxLength: 20 }) }), {
  maxLength: 12,
});

describe("openScores", () => {
  it("keeps what was put, counts it and ranks it as plain arrays do", () => {
    const { store } = open();
    let run = 0;
    fc.assert(
      fc.property(puts, fc.array(images), score, (steps, asked, looked) => {
        // Scorers of a run of their own: one store serves all runs.
        const name = (one: string) => `${run}-${one}`;
        run++;
        const model = new Map<string, Map<string, number>>();
        for (const { scorer, rows } of steps) {
          const known = model.get(scorer) ?? new Map<string, number>();
          model.set(scorer, known);
          store.put(
            name(scorer),
            rows.map(([image, value]) => row(image, value)),
          );
          for (const [image, value] of rows) known.set(hashOf(image), value);
          expect(store.count(name(scorer))).toBe(known.size);
        }
        for (const one of ["student-a", "student-b", "teacher"]) {
          const known = model.get(one) ?? new Map<string, number>();
          const sorted = [...known.values()].sort((a, b) => a - b);
          expect([...store.sortedScores(name(one))]).toEqual(sorted);
          const hashes = asked.map(hashOf);
          expect([...store.missing(name(one), hashes)]).toEqual(hashes.filter((hash) => !known.has(hash)));
          for (const hash of hashes) expect(store.get(name(one), hash)?.score).toBe(known.get(hash));
          const worse = sorted.filter((value) => value < looked).length;
          const equal = sorted.filter((value) => value === looked).length;
          const percentile = store.percentile(name(one), looked);
          if (sorted.length === 0) expect(percentile).toBeNull();
          else expect(percentile).toBeCloseTo((worse + equal / 2) / sorted.length, 12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("returns the teacher's probabilities and confidence as they were", () => {
    const { store } = open();
    const judged: ScoreRow = {
      hash: hashOf(1),
      score: 3.25,
      probabilities: [0.1, 0.4, 0.3, 0.15, 0.05],
      confidence: 0.125,
      distance: null,
      sd: null,
    };
    store.put("teacher", [judged, row(2, 4)]);
    expect(store.get("teacher", hashOf(1))).toEqual(judged);
    expect(store.get("teacher", hashOf(2))).toEqual(row(2, 4));
    expect(store.get("student", hashOf(1))).toBeUndefined();
  });

  it("writes all rows of a put or none", () => {
    const { store } = open();
    const broken = function* () {
      yield row(1, 2);
      throw new Error("broken source");
    };
    expect(() => store.put("student", broken())).toThrow("broken source");
    expect(store.count("student")).toBe(0);
    expect(store.get("student", hashOf(1))).toBeUndefined();
    store.put("student", [row(1, 2)]);
    expect(store.count("student")).toBe(1);
  });

  it("ranks the same by counting in the file as by its array", () => {
    const { store } = open();
    const n = 60_000;
    const rows = Array.from({ length: n }, (_, i) => row(i, 1 + ((i * 7919) % 1000) / 250));
    store.put("student", rows);
    const counted = [1, 2.5, 3.998, 5].map((value) => store.percentile("student", value));
    expect(store.sortedScores("student").length).toBe(n);
    expect([1, 2.5, 3.998, 5].map((value) => store.percentile("student", value))).toEqual(counted);
    expect(counted[0]).toBeCloseTo(0.0005, 9);
    expect(counted[3]).toBe(1);
  });

  it("looks no further than it is asked to", () => {
    const { store } = open();
    let taken = 0;
    const endless = (function* () {
      for (let i = 0; ; i++) {
        taken = i;
        yield hashOf(i);
      }
    })();
    store.put("student", [row(0, 3)]);
    const missing = store.missing("student", endless);
    expect(missing.next().value).toBe(hashOf(1));
    expect(taken).toBeLessThan(2000);
    missing.return(undefined);
  });

  it("finds what is missing among many without holding up the rest", async () => {
    const { store } = open();
    const hashes = Array.from({ length: 20_000 }, (_, i) => hashOf(i));
    store.put(
      "student",
      hashes.filter((_, i) => i % 4 !== 0).map((hash) => ({ ...row(0, 3), hash })),
    );
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const missing: string[] = [];
    for await (const hash of store.missingInSteps("student", hashes)) missing.push(hash);
    clearInterval(timer);
    expect(missing).toEqual(hashes.filter((_, i) => i % 4 === 0));
    expect(turns).toBeGreaterThan(5);
  });

  it("sees what another window wrote", () => {
    const { store, file } = open();
    const { store: other } = open(file);
    store.put("student", [row(1, 2)]);
    expect(store.percentile("student", 3)).toBe(1);
    other.put("student", [row(2, 4)]);
    expect(store.count("student")).toBe(2);
    expect([...store.sortedScores("student")]).toEqual([2, 4]);
  });

  it("forgets the scorers that are not named", async () => {
    const { store } = open();
    for (const scorer of ["a", "b", "c"])
      store.put(
        scorer,
        Array.from({ length: 4500 }, (_, i) => row(i, 3)),
      );
    await store.removeOthers((scorer) => scorer === "b");
    expect(["a", "b", "c"].map((scorer) => store.count(scorer))).toEqual([0, 4500, 0]);
    expect(store.get("a", hashOf(7))).toBeUndefined();
    expect(store.get("b", hashOf(7))).toEqual(row(7, 3));
  });

  it("makes a damaged file and one of another version anew", () => {
    const { store, file } = open();
    store.put("student", [row(1, 2)]);
    store.close();
    const again = openScores(file);
    expect(again.count("student")).toBe(1);
    again.close();

    const whole = readFileSync(file);
    writeFileSync(file, Buffer.concat([Buffer.from("not a database, "), whole.subarray(16)]));
    const mended = openScores(file);
    expect(mended.count("student")).toBe(0);
    mended.put("student", [row(1, 2)]);
    mended.close();

    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const renewed = openScores(file);
    expect(renewed.count("student")).toBe(0);
    renewed.close();
  });

  it("says in one sentence where it cannot write", () => {
    const dir = temporaryFolder();
    mkdirSync(path.join(dir, "scores.sqlite"));
    expect(() => openScores(path.join(dir, "scores.sqlite"))).toThrow(
      /^Cannot use .*scores\.sqlite: it does not exist or may not be opened/,
    );
  });
});
