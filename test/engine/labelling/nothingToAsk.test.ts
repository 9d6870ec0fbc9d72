import path from "node:path";
import { expect, it, vi } from "vitest";
import { labelDataset } from "../../../src/engine/labelling/labelling.ts";
import { human, type LabelStore, openLabels } from "../../../src/engine/labels/labels.ts";
import type { Teacher } from "../../../src/engine/teachers/teacher.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const teacher: Teacher = {
  kind: "stub",
  fingerprint: "stub",
  description: {},
  batchSize: 500,
  judgePoints: async (some) =>
    some.map(() => ({ ok: true, probabilities: [0.1, 0.2, 0.4, 0.2, 0.1], mass: 1 })),
  judgePairs: async (some) => some.map(() => ({ ok: true, pAB: 0.7, pBA: 0.6 })),
  close: async () => {},
};
const absent = () => Promise.reject(new Error("Nobody is asked."));
const hashes = Array.from({ length: 300 }, (_, i) => i.toString(16).padStart(32, "0"));

const label = (store: LabelStore, by: Teacher, onName = () => {}) =>
  labelDataset({
    store,
    teacher: by,
    images: () =>
      hashes.values().map((hash) => ({
        hash,
        get name() {
          onName();
          return hash;
        },
        read: absent,
      })),
    imageOf: (hash) => ({ hash, name: hash, read: absent }),
    pairs: { perImage: 8, strategy: "mixed", seed: 0 },
    minConfidence: 0.1,
  });

/** The statements that are carried out from now on. */
function carriedOut({ db }: LabelStore): string[] {
  const told: string[] = [];
  const prepare = db.prepare.bind(db);
  vi.spyOn(db, "prepare").mockImplementation((sql, ...given) => {
    const statement = prepare(sql, ...given);
    for (const method of ["all", "get", "run", "iterate"] as const) {
      const call = statement[method].bind(statement) as (...values: unknown[]) => unknown;
      statement[method] = ((...values: unknown[]) => {
        told.push(sql);
        return call(...values);
      }) as never;
    }
    return statement;
  });
  return told;
}

it("a store that has every answer is asked for a thousand at a time, nothing is counted, and no image is named", async () => {
  const file = path.join(temporaryFolder(), "labels.sqlite");
  const first = openLabels(file);
  const made = await label(first, teacher);
  first.close();
  const store = openLabels(file);
  const told = carriedOut(store);
  let named = 0;
  const again = await label(store, { ...teacher, judgePoints: absent, judgePairs: absent }, () => named++);
  expect(again.points).toEqual({ labelled: 0, reused: 300, failed: 0 });
  expect(again.pairs).toEqual({ ...made.pairs, labelled: 0, reused: made.pairs.labelled });
  expect(named).toBe(0);
  expect(told.filter((sql) => /count\(/.test(sql))).toEqual([]);
  const lookups = told.filter((sql) => /FROM json_each/.test(sql) && /JOIN pairs/.test(sql));
  expect(lookups).toHaveLength(Math.ceil(made.pairs.labelled / 1000));
  store.close();
});

it("where nobody but teachers labelled, people's words are not looked for among theirs", async () => {
  const store = openLabels(path.join(temporaryFolder(), "labels.sqlite"));
  await label(store, teacher);
  const told = carriedOut(store);
  expect([...store.points(human), ...store.pairs(human)]).toEqual([]);
  expect(told.filter((sql) => /FROM images/.test(sql))).toEqual([]);
  store.overridePair(hashes[0]!, hashes[1]!, 1);
  expect([...store.pairs(human)]).toMatchObject([{ a: hashes[0], b: hashes[1], p: 1, human: true }]);
  expect([...store.pairs("stub")].filter((one) => one.human)).toHaveLength(1);
  store.close();
});

it("a new pair takes one statement", async () => {
  const store = openLabels(path.join(temporaryFolder(), "labels.sqlite"));
  store.registerTeacher(teacher);
  const told = carriedOut(store);
  const rows = hashes.slice(1).map((b) => ({
    ...{ a: hashes[0]!, b, ok: true as const, p: 0.5, pAB: 0.5, pBA: 0.5 },
    ...{ positionBias: 0, confidence: 0.5 },
  }));
  store.putPairs("stub", rows);
  const pairs = () => told.filter((sql) => /(INTO|FROM) pairs/.test(sql)).length;
  expect(pairs()).toBe(rows.length);
  // Of an image once.
  expect(told.filter((sql) => /SELECT id FROM images/.test(sql))).toHaveLength(hashes.length);
  store.putPairs("stub", rows);
  expect(store.counts("stub", 0).pairs.ok).toBe(rows.length);
  store.close();
});
