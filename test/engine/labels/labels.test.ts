import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import {
  type LabelStore,
  openLabels,
  type PairRow,
  type PointRow,
} from "../../../src/engine/labels/labels.ts";
import { writeLabelSnapshot } from "../../../src/engine/labels/snapshot.ts";
import { learned } from "../../support/liveWorld.ts";

const root = mkdtempSync(path.join(tmpdir(), "leaf-labels-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
let file = "";
beforeEach(() => {
  file = path.join(root, String(made++), ".leaf", "labels.sqlite");
});

const h = (i: number) => i.toString(16).padStart(32, "0");
const point = (i: number, score = 3): PointRow => ({
  image: h(i),
  ok: true,
  score,
  probabilities: [0.1, 0.2, 0.4, 0.2, 0.1],
  mass: 0.9,
  confidence: 0.25,
});
const pair = (a: number, b: number, p = 0.8, confidence = 0.3): PairRow => ({
  a: h(a),
  b: h(b),
  ok: true,
  p,
  pAB: p,
  pBA: p,
  positionBias: 0,
  confidence,
});
const failedPoint = (i: number, reason = "no"): PointRow => ({ image: h(i), ok: false, reason });

function open(): LabelStore {
  const store = openLabels(file);
  for (const fingerprint of ["t", "u"])
    store.registerTeacher({ fingerprint, kind: "fake", description: { fingerprint } });
  return store;
}

describe("the label store", () => {
  it("gives back what was put, after it was closed and opened", () => {
    const store = open();
    store.putPoints("t", [point(2, 4.5), point(1), failedPoint(3)]);
    store.putPairs("t", [pair(1, 2, 0.25), { a: h(1), b: h(3), ok: false, reason: "no" }]);
    store.close();
    const again = openLabels(file, { readOnly: true });
    expect([...again.points("t")]).toEqual([
      {
        image: h(1),
        score: 3,
        probabilities: [0.1, 0.2, 0.4, 0.2, 0.1],
        mass: 0.9,
        confidence: 0.25,
        human: false,
      },
      {
        image: h(2),
        score: 4.5,
        probabilities: [0.1, 0.2, 0.4, 0.2, 0.1],
        mass: 0.9,
        confidence: 0.25,
        human: false,
      },
    ]);
    expect([...again.pairs("t")]).toEqual([
      { a: h(1), b: h(2), p: 0.25, pAB: 0.25, pBA: 0.25, positionBias: 0, confidence: 0.3, human: false },
    ]);
    expect(again.point("t", h(2))?.score).toBe(4.5);
    expect(again.point("t", h(3))).toBeUndefined();
    expect(again.pair("t", h(1), h(2))?.p).toBe(0.25);
    expect(again.point("u", h(2))).toBeUndefined();
    expect([...again.failedPoints("t")]).toEqual([{ image: h(3), reason: "no" }]);
    expect(again.counts("t", 0.3)).toEqual({
      points: { ok: 2, failed: 1 },
      pairs: { ok: 1, failed: 1, kept: 1, discarded: 0 },
    });
    expect(again.counts("t", 0.31).pairs).toMatchObject({ kept: 0, discarded: 1 });
    expect(again.counts("nobody", 0)).toEqual({
      points: { ok: 0, failed: 0 },
      pairs: { ok: 0, failed: 0, kept: 0, discarded: 0 },
    });
    again.close();
  });

  it("has schema 3", () => {
    open().close();
    const db = new DatabaseSync(file);
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: 3 });
    expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    const columns = (table: string) =>
      db
        .prepare(`SELECT name FROM pragma_table_info('${table}')`)
        .all()
        .map((row) => row.name)
        .join(" ");
    expect(columns("images")).toBe("id hash");
    expect(columns("teachers")).toBe("id fingerprint kind description created_at");
    expect(columns("points")).toBe(
      "id image_id teacher_id status score excellent good fair poor bad mass confidence reason created_at samples",
    );
    expect(columns("pairs")).toBe(
      "id a_id b_id teacher_id status p p_ab p_ba position_bias confidence reason created_at samples",
    );
    expect(columns("reasons")).toBe("image_id teacher_id text created_at");
    db.close();
  });

  it("brings a store of schema 1 up to date, also for one who only reads", () => {
    open().close();
    const db = new DatabaseSync(file);
    db.exec(
      "DROP TABLE reasons; ALTER TABLE points DROP COLUMN samples; ALTER TABLE pairs DROP COLUMN samples",
    );
    db.exec("PRAGMA user_version = 1");
    db.close();
    const store = openLabels(file, { readOnly: true });
    expect(store.reason("t", h(1))).toBeUndefined();
    expect([...store.points("t")]).toEqual([]);
    store.close();
  });

  it("keeps how often each answer came where probabilities are estimated", () => {
    const store = open();
    const samples = { n: 8, counts: [1, 5, 2, 0, 0] };
    const both = { ab: { n: 8, counts: [6, 2] }, ba: { n: 8, counts: [3, 5] } };
    store.putPoints("t", [{ ...point(1, 4), samples } as PointRow, point(2, 3)]);
    store.putPairs("t", [{ ...pair(1, 2), samples: both } as PairRow]);
    expect([...store.points("t")].map((label) => label.samples)).toEqual([samples, undefined]);
    expect(store.pair("t", h(1), h(2))!.samples).toEqual(both);
    store.db.exec(`UPDATE points SET samples = '{"n":-1}'`);
    expect(store.point("t", h(1))!.samples).toBeUndefined();
    store.close();
  });

  it("keeps a teacher's first usable label, and replaces a failed one by a later row", () => {
    const store = open();
    store.putPoints("t", [point(1, 2), failedPoint(2)]);
    const before = store.snapshot("t");
    store.putPoints("t", [point(1, 5), point(2, 4)]);
    expect([...store.points("t")].map((label) => label.score)).toEqual([2, 4]);
    expect(store.snapshot("t").maxPointId).toBeGreaterThan(before.maxPointId);
    expect([...store.points("t", before)].map((label) => label.image)).toEqual([h(1)]);
    store.close();
  });

  it("lists what is missing in order, for any number of images", () => {
    const store = open();
    const all = Array.from({ length: 2500 }, (_, i) => i);
    store.putPoints(
      "t",
      all.filter((i) => i % 3 === 0).map((i) => point(i)),
    );
    store.putPoints("t", [failedPoint(1)]);
    const expected = all.filter((i) => i % 3 !== 0).map(h);
    expect([...store.missingPoints("t", all.map(h))]).toEqual(expected);
    expect([...store.missingPoints("u", all.map(h))]).toHaveLength(2500);
    const pairs = all.slice(1).map((i) => [h(i - 1), h(i)] as [string, string]);
    store.putPairs(
      "t",
      all.slice(1, 1300).map((i) => pair(i - 1, i)),
    );
    expect([...store.missingPairs("t", pairs)]).toEqual(pairs.slice(1299));
    expect(
      store.pairWeights(
        "t",
        [
          [h(0), h(1)],
          [h(0), h(2)],
          [h(1), h(2)],
        ],
        "both",
        0,
      ),
    ).toEqual([0.3, undefined, 0.3]);
    store.close();
  });

  it("writes a batch as a whole or not at all", () => {
    const store = open();
    expect(() => store.putPairs("t", [pair(1, 2), pair(4, 3)])).toThrow("smaller");
    expect([...store.pairs("t")]).toEqual([]);
    expect(() => store.putPoints("stranger", [point(1)])).toThrow("not registered");
    store.putPairs("t", [pair(1, 2)]);
    expect([...store.pairs("t")]).toHaveLength(1);
    store.close();
  });
});

describe("a person's labels", () => {
  it("take the place of any teacher's, can change and be taken back", () => {
    const store = open();
    store.putPoints("t", [point(1, 2), point(2, 2)]);
    store.putPairs("t", [pair(1, 2, 0.9)]);
    const before = store.snapshot("human");
    expect(before).toEqual({ maxPointId: 0, maxPairId: 0 });
    store.overridePoint(h(1), 5);
    store.overridePoint(h(1), 4);
    store.overridePoint(h(7), 1);
    store.overridePair(h(2), h(1), 1);
    expect([...store.points("t")].map((label) => [label.image, label.score, label.human])).toEqual([
      [h(1), 4, true],
      [h(2), 2, false],
      [h(7), 1, true],
    ]);
    expect(store.point("t", h(1))).toMatchObject({ score: 4, confidence: 1, mass: null, human: true });
    expect(store.pair("t", h(1), h(2))).toMatchObject({ p: 0, confidence: 1, pAB: null, human: true });
    expect([...store.pairs("human")]).toHaveLength(1);
    // The teacher's own are still there, and are what is asked for.
    expect(store.ownScores("t")).toEqual(
      new Map([
        [h(1), 2],
        [h(2), 2],
      ]),
    );
    expect([...store.missingPoints("t", [h(1), h(7)])]).toEqual([h(7)]);

    const overruled = store.snapshot("human");
    store.overridePoint(h(1), null);
    store.overridePair(h(1), h(2), null);
    expect(store.point("t", h(1))).toMatchObject({ score: 2, human: false });
    expect(store.pair("t", h(1), h(2))).toMatchObject({ p: 0.9, human: false });
    // Taking back is a change that later stages can see.
    expect(store.snapshot("human").maxPointId).toBeGreaterThan(overruled.maxPointId);
    expect(store.snapshot("human").maxPairId).toBeGreaterThan(overruled.maxPairId);
    expect(() => store.overridePoint(h(1), 6)).toThrow(RangeError);
    expect(() => store.overridePair(h(1), h(2), Number.NaN)).toThrow(RangeError);
    store.close();
  });
});

describe("the digest", () => {
  const digestOf = (put: (store: LabelStore) => void, minConfidence = 0.1) => {
    file = path.join(root, String(made++), "labels.sqlite");
    const store = open();
    put(store);
    const digest = store.digest("t", store.snapshot("t"), minConfidence);
    store.close();
    return digest;
  };

  it("depends on the labels that are used, not on the order in which they came", () => {
    const digest = digestOf((store) => {
      store.putPoints("t", [point(1, 2), point(2, 3)]);
      store.putPairs("t", [pair(1, 2), pair(2, 3)]);
    });
    const other = digestOf((store) => {
      store.putPairs("u", [pair(5, 6)]);
      store.putPairs("t", [pair(2, 3), pair(1, 4, 0.5, 0)]);
      store.putPairs("t", [pair(1, 2), pair(1, 3, 0.5, 0.05)]);
      store.putPoints("t", [failedPoint(9), point(2, 3)]);
      store.putPoints("t", [point(1, 2)]);
    });
    expect(other).toBe(digest);
    for (const change of [
      (store: LabelStore) => store.putPoints("t", [point(3)]),
      (store: LabelStore) => store.putPairs("t", [pair(1, 3)]),
      (store: LabelStore) => store.overridePoint(h(2), 1),
    ]) {
      const changed = digestOf((store) => {
        store.putPoints("t", [point(1, 2), point(2, 3)]);
        store.putPairs("t", [pair(1, 2), pair(2, 3)]);
        change(store);
      });
      expect(changed).not.toBe(digest);
    }
  });

  it("of a snapshot does not change with later labels", () => {
    const store = open();
    store.putPoints("t", [point(1, 2)]);
    const snapshot = store.snapshot("t");
    const digest = store.digest("t", snapshot, 0);
    store.putPoints("t", [point(2, 3)]);
    store.overridePoint(h(3), 2);
    expect(store.digest("t", snapshot, 0)).toBe(digest);
    expect(store.digest("t", store.snapshot("t"), 0)).not.toBe(digest);
    store.close();
  });
});

it("a copy for one training holds its images' labels, a person's in place of the teacher's", () => {
  const store = open();
  store.putPoints("t", [point(1, 1), point(2, 2), point(3, 3), failedPoint(4)]);
  store.putPairs("t", [pair(1, 2, 0.9), pair(1, 3), pair(2, 3), pair(2, 4)]);
  store.overridePoint(h(2), 5);
  store.overridePair(h(1), h(2), 0);
  store.overridePair(h(2), h(3), 1);
  const copyFile = path.join(path.dirname(file), "copy.sqlite");
  const pairs: [string, string][] = [
    [h(1), h(2)],
    [h(1), h(3)],
  ];
  writeLabelSnapshot(store, copyFile, {
    teacher: "t",
    images: new Set([h(1), h(2), h(4)]),
    pairs,
    minConfidence: 0.1,
  });
  store.close();
  expect(learned(copyFile)).toEqual({
    points: [
      [h(1), 1],
      [h(2), 5],
    ],
    pairs: [[h(1), h(2), 0, 1]],
  });
});

it("does what a map would do, for any sequence of writes", () => {
  const image = fc.integer({ min: 0, max: 7 });
  const score = fc.integer({ min: 1, max: 5 });
  const who = fc.constantFrom("t", "u");
  const command = fc.oneof(
    fc.record({
      do: fc.constant("points" as const),
      who,
      rows: fc.array(fc.tuple(image, fc.option(score)), { maxLength: 6 }),
    }),
    fc.record({
      do: fc.constant("pairs" as const),
      who,
      rows: fc.array(
        fc.tuple(image, image, fc.option(score)).filter(([a, b]) => a < b),
        { maxLength: 6 },
      ),
    }),
    fc.record({ do: fc.constant("override" as const), image, score: fc.option(score) }),
    fc.record({ do: fc.constant("reopen" as const) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
      file = path.join(root, String(made++), "labels.sqlite");
      let store = open();
      const points = { t: new Map<string, number | null>(), u: new Map<string, number | null>() };
      const pairs = { t: new Map<string, number | null>(), u: new Map<string, number | null>() };
      const human = new Map<string, number>();
      const put = (map: Map<string, number | null>, key: string, value: number | null) => {
        if (map.get(key) == null) map.set(key, value);
      };
      for (const one of commands) {
        if (one.do === "points") {
          store.putPoints(
            one.who,
            one.rows.map(([i, s]) => (s === null ? failedPoint(i) : point(i, s))),
          );
          for (const [i, s] of one.rows) put(points[one.who as "t"], h(i), s);
        } else if (one.do === "pairs") {
          store.putPairs(
            one.who,
            one.rows.map(([a, b, s]) =>
              s === null ? { a: h(a), b: h(b), ok: false, reason: "no" } : pair(a, b, s / 10, s / 5),
            ),
          );
          for (const [a, b, s] of one.rows) put(pairs[one.who as "t"], `${h(a)} ${h(b)}`, s);
        } else if (one.do === "override") {
          store.overridePoint(h(one.image), one.score);
          if (one.score === null) human.delete(h(one.image));
          else human.set(h(one.image), one.score);
        } else {
          store.close();
          store = open();
        }
      }
      for (const teacher of ["t", "u"] as const) {
        const usable = [...points[teacher]].filter((entry): entry is [string, number] => entry[1] !== null);
        const merged = [...new Map([...usable, ...human])].sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...store.points(teacher)].map((label) => [label.image, label.score])).toEqual(merged);
        const all = Array.from({ length: 8 }, (_, i) => h(i));
        expect([...store.missingPoints(teacher, all)]).toEqual(
          all.filter((i) => points[teacher].get(i) == null),
        );
        const used = [...pairs[teacher]].filter(([, s]) => s !== null).sort(([a], [b]) => (a < b ? -1 : 1));
        expect([...store.pairs(teacher)].map((label) => [`${label.a} ${label.b}`, label.p * 10])).toEqual(
          used,
        );
        const kept = used.filter(([, s]) => s! / 5 >= 0.5).length;
        expect(store.counts(teacher, 0.5)).toEqual({
          points: { ok: usable.length, failed: points[teacher].size - usable.length },
          pairs: {
            ok: used.length,
            failed: pairs[teacher].size - used.length,
            kept,
            discarded: used.length - kept,
          },
        });
      }
      store.close();
      rmSync(path.dirname(file), { recursive: true });
    }),
    { numRuns: 60 },
  );
});

/** Runs Python's own SQLite, as the trainer does. */
function python(code: string): string {
  const done = spawnSync("python3", ["-c", code, file], { encoding: "utf8" });
  expect(done.stderr).toBe("");
  return done.stdout.trim();
}
const countInPython = `
import sqlite3, sys
from urllib.parse import quote
db = sqlite3.connect("file:" + quote(sys.argv[1]) + "?mode=ro", uri=True, timeout=5)
print(db.execute("SELECT count(*), sum(score) FROM points WHERE status = 'ok'").fetchone())
`;

describe("beside other processes", () => {
  it("Python reads the committed labels while a batch is being written, and after the store was closed", () => {
    const store = open();
    store.putPoints("t", [point(1, 2), point(2, 3)]);
    store.db.exec("BEGIN IMMEDIATE; DELETE FROM points");
    expect(python(countInPython)).toBe("(2, 5.0)");
    store.db.exec("ROLLBACK");
    store.putPoints("t", [point(3, 4)]);
    expect(python(countInPython)).toBe("(3, 9.0)");
    store.close();
    expect(python(countInPython)).toBe("(3, 9.0)");
  });

  it("two stores write in turn", () => {
    const [one, other] = [open(), open()];
    for (let i = 0; i < 20; i++) (i % 2 ? one : other).putPoints("t", [point(i)]);
    expect([...one.points("t")]).toHaveLength(20);
    one.close();
    other.close();
  });

  it("a store that stays locked is told in a sentence", () => {
    const store = open();
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    store.db.exec("PRAGMA busy_timeout = 50");
    expect(() => store.putPoints("t", [point(1)])).toThrow(/another process is writing/);
    other.exec("ROLLBACK");
    store.putPoints("t", [point(1)]);
    other.close();
    store.close();
  });

  it("several processes may make it at once", async () => {
    const script = `
      const { openLabels } = await import(${JSON.stringify(new URL("../../../src/engine/labels/labels.ts", import.meta.url).href)});
      const store = openLabels(process.argv[1]);
      store.registerTeacher({ fingerprint: "t" + process.pid, kind: "fake", description: {} });
      store.close();`;
    const codes = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = spawn(process.execPath, ["--input-type=module", "-e", script, file], {
          stdio: ["ignore", "ignore", "inherit"],
        });
        return new Promise((resolve) => child.on("exit", resolve));
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    const store = openLabels(file);
    expect(store.db.prepare("SELECT count(*) AS n FROM teachers").get()?.n).toBe(4);
    store.close();
  });

  it("kill -9 leaves whole batches, all that were acknowledged among them", async () => {
    const size = 40;
    const writer = fileURLToPath(new URL("../../support/labelWriter.ts", import.meta.url));
    const random = seededRandom("kill");
    let acknowledged = -1;
    for (let round = 0; round < 6; round++) {
      const stopAfter = acknowledged + 1 + Math.floor(random() * 12);
      const child = spawn(process.execPath, [writer, file, String(acknowledged + 1), String(size)]);
      let rest = "";
      let stopping = false;
      child.stdout.on("data", (data: Buffer) => {
        rest += data.toString();
        const lines = rest.split("\n");
        rest = lines.pop()!;
        acknowledged = Math.max(acknowledged, ...lines.map(Number));
        if (acknowledged < stopAfter || stopping) return;
        stopping = true;
        setTimeout(() => child.kill("SIGKILL"), random() * 8);
      });
      await new Promise((resolve) => child.on("close", resolve));

      const store = openLabels(file);
      expect(store.db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      const written = [...store.points("t")].map((label) => label.image);
      expect(written.length % size).toBe(0);
      expect(written).toEqual(written.map((_, i) => h(i)));
      const pairs = [...store.pairs("t")].length;
      expect(pairs % (size - 1)).toBe(0);
      expect(written.length / size - pairs / (size - 1)).toBeLessThanOrEqual(1);
      expect(pairs).toBeGreaterThanOrEqual((acknowledged + 1) * (size - 1));
      store.close();
      // A batch may have its points but not its pairs: the next writer begins with it.
      acknowledged = pairs / (size - 1) - 1;
    }
    expect(acknowledged).toBeGreaterThan(5);
  });
});

describe("a store that cannot be used is told in a sentence", () => {
  const failure = (options = {}) => {
    try {
      openLabels(file, options).close();
    } catch (error) {
      return error;
    }
    return undefined;
  };
  beforeEach(() => open().close());

  it("of a newer version", () => {
    const db = new DatabaseSync(file);
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(failure()).toMatchObject({
      code: "failed",
      message: `${file} was written by a newer version of LEAF.`,
    });
  });

  it("that is some other file", () => {
    writeFileSync(file, "not a database at all, ".repeat(100));
    expect(failure()).toMatchObject({
      code: "failed",
      message: /it is not a database of LEAF/,
      remedy: /Move it away/,
    });
  });

  it("that is some other database", () => {
    rmSync(file);
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE images(name TEXT)");
    db.close();
    expect(failure()).toMatchObject({ code: "failed", message: `${file} is not a label store.` });
  });

  it("that is damaged inside", () => {
    const store = open();
    store.putPoints(
      "t",
      Array.from({ length: 2000 }, (_, i) => point(i)),
    );
    store.close();
    const db = new DatabaseSync(file);
    const pages = Number(db.prepare("PRAGMA page_count").get()?.page_count);
    db.close();
    const fd = spawnSync("python3", [
      "-c",
      `import sys; f = open(sys.argv[1], "r+b"); f.seek(4096 * 2); f.write(b"\\xff" * 4096 * (${pages} - 3))`,
      file,
    ]);
    expect(fd.status).toBe(0);
    const damaged = openLabels(file);
    expect(() => [...damaged.points("t")]).toThrow(/the file is damaged/);
    damaged.close();
  });

  it("that is not there, or is a folder", () => {
    const missing = path.join(root, "nowhere", "labels.sqlite");
    expect(() => openLabels(missing, { readOnly: true })).toThrow(/does not exist/);
    expect(() => openLabels(path.dirname(file))).toThrow(/Cannot use /);
  });

  it("on a full disk, and finished batches stay", () => {
    const store = open();
    store.putPoints("t", [point(1)]);
    const pages = Number(store.db.prepare("PRAGMA page_count").get()?.page_count);
    store.db.exec(`PRAGMA max_page_count = ${pages}`);
    const many = Array.from({ length: 3000 }, (_, i) => point(i + 10));
    expect(() => store.putPoints("t", many)).toThrow(/no space is left on the disk/);
    expect([...store.points("t")].map((label) => label.image)).toEqual([h(1)]);
    store.db.exec("PRAGMA max_page_count = 100000");
    store.putPoints("t", many);
    expect([...store.points("t")]).toHaveLength(3001);
    store.close();
  });
});
