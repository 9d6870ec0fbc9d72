import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { mergeLabels } from "../../../src/engine/labels/merge.ts";
import { labelFault, unusable, usable } from "../../../src/engine/labels/rules.ts";
import { writeLabelSnapshot } from "../../../src/engine/labels/snapshot.ts";
import { learned } from "../../support/liveWorld.ts";

const root = mkdtempSync(path.join(tmpdir(), "leaf-foreign-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const fresh = () => path.join(root, `${made++}.sqlite`);
const h = (i: number) => i.toString(16).padStart(32, "0");
const images = 6;

/** A sound store of one teacher and a person, and what somebody then did to it. */
function tampered(...statements: string[]): string {
  const file = fresh();
  const store = openLabels(file);
  store.registerTeacher({ fingerprint: "t", kind: "openai", description: { model: "m" } });
  for (let i = 0; i < images; i++)
    store.putPoints("t", [
      {
        image: h(i),
        ok: true,
        score: 3,
        probabilities: [0.2, 0.2, 0.2, 0.2, 0.2],
        mass: 0.9,
        confidence: 0.5,
      },
    ]);
  for (let i = 0; i + 1 < images; i++)
    store.putPairs("t", [
      { a: h(i), b: h(i + 1), ok: true, p: 0.7, pAB: 0.7, pBA: 0.7, positionBias: 0, confidence: 0.4 },
    ]);
  store.putReasons("t", [{ image: h(0), text: "blur" }]);
  store.overridePoint(h(0), 2);
  store.overridePair(h(0), h(1), 1);
  store.close();
  const db = new DatabaseSync(file);
  for (const statement of statements) db.exec(statement);
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.close();
  return file;
}

function merged(file: string) {
  const store = openLabels(fresh());
  const result = mergeLabels(store, file);
  expect(store.badRows().count).toBe(0);
  expect(
    store.teachers().every(({ description }) => description === null || typeof description === "object"),
  ).toBe(true);
  return { store, result };
}

describe("a store from elsewhere", () => {
  it("gives its good labels, and names the rows that are none", () => {
    const wrong: [string, string][] = [
      ["UPDATE pairs SET p = 42 WHERE id = 2", "pairs 2: p is 42"],
      ["UPDATE pairs SET confidence = -1 WHERE id = 2", "pairs 2: confidence is -1"],
      ["UPDATE pairs SET position_bias = 9e999 WHERE id = 2", "pairs 2: position_bias is Infinity"],
      ["UPDATE points SET score = 1e308 WHERE id = 2", "points 2: score is 1e+308"],
      ["UPDATE points SET confidence = 'x' WHERE id = 2", 'points 2: confidence is "x"'],
      ["UPDATE points SET score = NULL WHERE id = 2", "points 2: score is missing"],
      ["UPDATE points SET bad = 0.9 WHERE id = 2", "points 2: the five probabilities sum to 1.700"],
      ["UPDATE points SET bad = NULL WHERE id = 2", "points 2: some of the five probabilities are missing"],
      ["UPDATE points SET score = zeroblob(1000000) WHERE id = 2", "points 2: score is a object"],
      ["UPDATE points SET score = 99 WHERE id = 7", "points 7: score is 99"],
      ["UPDATE pairs SET p = -3, created_at = 9e15 WHERE id = 6", "pairs 6: p is -3"],
      [
        "UPDATE teachers SET description = '{not json' WHERE id = 1",
        "teacher 1: its description is not JSON",
      ],
      ["UPDATE teachers SET kind = 'human' WHERE id = 1", "teacher 1: its name or kind is none"],
      [
        "UPDATE images SET hash = '../../../' || hash WHERE id = 6",
        "image 6: its hash is not 32 hexadecimal digits",
      ],
    ];
    const whole = merged(tampered()).result;
    expect(whole.bad).toBeUndefined();
    expect(whole).toMatchObject({ points: images + 1, pairs: images, reasons: 1 });
    for (const [statement, example] of wrong) {
      const { store, result } = merged(tampered(statement));
      expect(result.bad?.examples, statement).toContain(example);
      expect(result.points + result.pairs, statement).toBeGreaterThan(images / 2 - 2);
      if (/description/.test(statement)) expect(result).toMatchObject({ points: images + 1, pairs: images });
      else expect(result.points + result.pairs, statement).toBeLessThan(2 * images + 1);
      store.close();
    }
  });

  it("never lets a word from the future win for ever", () => {
    const { store } = merged(tampered("UPDATE points SET created_at = 9000000000000000 WHERE id = 7"));
    const [row] = store.db.prepare("SELECT created_at FROM points ORDER BY created_at DESC LIMIT 1").all();
    expect(Number(row!.created_at)).toBeLessThanOrEqual(Date.now());
    store.close();
  });

  it("is none where it would run what somebody wrote, or is laid out in another way", () => {
    const refused: [string[], RegExp][] = [
      [["ALTER TABLE points RENAME TO pp", "CREATE VIEW points AS SELECT * FROM pp"], /it has a view/],
      [["CREATE TRIGGER x AFTER INSERT ON points BEGIN DELETE FROM pairs; END"], /it has a trigger/],
      [["ALTER TABLE pairs RENAME TO p2"], /it has no table `pairs`/],
      [["ALTER TABLE pairs DROP COLUMN position_bias"], /`pairs` has no column `position_bias`/],
      [["ALTER TABLE points ADD COLUMN g AS (abs(score))"], /`points` has computed columns/],
      [
        [
          "DROP TABLE reasons",
          "CREATE VIRTUAL TABLE reasons USING fts5(image_id, teacher_id, text, created_at)",
        ],
        /virtual table/,
      ],
      [["PRAGMA user_version = 99"], /newer version/],
      [["PRAGMA user_version = 0"], /it has no version/],
    ];
    for (const [statements, why] of refused) {
      const store = openLabels(fresh());
      const file = tampered(...statements);
      expect(() => mergeLabels(store, file)).toThrow(
        expect.objectContaining({ code: "input", file, message: expect.stringMatching(why) }),
      );
      expect(() => openLabels(file)).toThrow(LeafError);
      expect(() => openLabels(file, { readOnly: true })).toThrow(LeafError);
      store.close();
    }
    const folder = mkdtempSync(path.join(root, "folder-"));
    const store = openLabels(fresh());
    expect(() => mergeLabels(store, folder)).toThrow(LeafError);
    store.close();
  });

  const column = fc.constantFrom(
    ...["score", "excellent", "good", "fair", "poor", "bad", "mass", "confidence"].map(
      (name) => ["points", name] as const,
    ),
    ...["p", "p_ab", "p_ba", "position_bias", "confidence"].map((name) => ["pairs", name] as const),
  );
  const value = fc.oneof(
    fc.double(),
    fc.double({ min: -2, max: 6 }),
    fc.constantFrom("'abc'", "NULL", "x'00ff'", "9e999", "-9e999", "''", "'3'"),
  );
  const changes = fc.array(fc.tuple(column, value, fc.nat({ max: 8 })), { minLength: 1, maxLength: 5 });
  const sql = ([[table, name], to, id]: [readonly [string, string], number | string, number]) =>
    `UPDATE ${table} SET ${name} = ${Number.isNaN(to) ? "NULL" : to === Infinity ? "9e999" : to === -Infinity ? "-9e999" : to} WHERE id = ${id}`;

  it("is merged without a bad row, whatever its values are; the rule in SQL is the rule in TypeScript", () => {
    fc.assert(
      fc.property(changes, (some) => {
        const file = tampered(...some.map(sql));
        const { store } = merged(file);
        store.close();
        const db = new DatabaseSync(file);
        for (const table of ["points", "pairs"] as const)
          for (const row of db
            .prepare(
              `SELECT x.*, (${usable(table, "x")}) AS usable, ${unusable(table, "x")} AS unusable FROM ${table} x`,
            )
            .all()) {
            const fault = labelFault(table, row);
            expect([row.usable ?? 0, row.unusable], fault).toEqual(fault === undefined ? [1, 0] : [0, 1]);
          }
        db.close();
      }),
      { numRuns: 40 },
    );
  });

  it("as one's own store is read all the same: what is no label counts as missing, and may be asked again", async () => {
    const everything = [
      "UPDATE teachers SET description = 'not json'",
      "UPDATE pairs SET p = 42",
      "UPDATE points SET score = 'abc' WHERE id < 4",
    ];
    const store = openLabels(tampered(...everything));
    expect(store.badRows()).toMatchObject({ count: images + 3 });
    expect([...store.missingPoints("t", [0, 1, 2, 3].map(h))]).toEqual([0, 1, 2].map(h));
    expect([...store.pairs("t")]).toEqual([]);
    expect(store.teachers()).toMatchObject([{ fingerprint: "t", description: null, points: 3, pairs: 0 }]);
    expect(store.counts("t", 0)).toMatchObject({ points: { ok: 3 }, pairs: { ok: 0, kept: 0 } });
    store.putPoints("t", [
      { image: h(1), ok: true, score: 4, probabilities: [0, 1, 0, 0, 0], mass: 1, confidence: 1 },
    ]);
    store.putPairs("t", [
      { a: h(0), b: h(1), ok: true, p: 0.6, pAB: 0.6, pBA: 0.6, positionBias: 0, confidence: 0.3 },
    ]);
    expect(store.point("t", h(1))?.score).toBe(4);
    expect(store.pair("t", h(0), h(1))?.p).toBe(0.6);
    const copy = fresh();
    writeLabelSnapshot(store, copy, {
      teacher: "t",
      images: new Set([0, 1, 2].map(h)),
      pairs: [[h(0), h(1)]],
      minConfidence: 0.1,
    });
    expect(learned(copy)).toEqual({
      points: [
        [h(0), 2],
        [h(1), 4],
      ],
      pairs: [[h(0), h(1), 0.6, 0.3]],
    });
    store.close();
  });

  it("that is no database at all is a sentence", () => {
    const text = fresh();
    writeFileSync(text, Buffer.alloc(50_000, 7));
    for (const readOnly of [true, false])
      expect(() => openLabels(text, { readOnly })).toThrow(/is not a database of LEAF/);
  });
});
