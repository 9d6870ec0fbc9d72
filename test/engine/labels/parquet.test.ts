import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { parquetWriteFile } from "hyparquet-writer";
import { describe, expect, it, onTestFinished } from "vitest";
import { importLabelsParquet } from "../../../src/engine/labels/importParquet.ts";
import {
  human,
  type LabelStore,
  openLabels,
  type PairRow,
  type PointRow,
} from "../../../src/engine/labels/labels.ts";
import { exportLabelsParquet } from "../../../src/engine/labels/parquet.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const teacher = { fingerprint: "t1", kind: "openai", description: { model: "m", prompts: ["é", "😀"] } };
const h = (i: number) => i.toString(16).padStart(32, "0");

function newStore(): LabelStore {
  const store = openLabels(path.join(temporaryFolder(), "labels.sqlite"));
  onTestFinished(() => store.close());
  return store;
}

/** All usable rows of a store as they are stored, whoever gave them. */
function rowsOf(store: LabelStore) {
  const points = store.db
    .prepare(
      `SELECT t.fingerprint, i.hash, score, excellent, good, fair, poor, bad, mass, confidence, p.samples FROM points p
       JOIN images i ON i.id = p.image_id JOIN teachers t ON t.id = p.teacher_id WHERE status = 'ok' ORDER BY 1, 2`,
    )
    .all();
  const pairs = store.db
    .prepare(
      `SELECT t.fingerprint, a.hash AS a, b.hash AS b, p, p_ab, p_ba, position_bias, confidence, p.samples FROM pairs p
       JOIN images a ON a.id = p.a_id JOIN images b ON b.id = p.b_id JOIN teachers t ON t.id = p.teacher_id
       WHERE status = 'ok' ORDER BY 1, 2, 3`,
    )
    .all();
  return { points, pairs };
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const fifths = fc
  .tuple(share, share, share, share, share)
  .filter((some) => some.some((one) => one > 1e-9))
  .map((some) => {
    const sum = some.reduce((total, one) => total + one, 0);
    return some.map((one) => one / sum) as [number, number, number, number, number];
  });
const pointRow: fc.Arbitrary<PointRow> = fc.oneof(
  fc.record({
    image: fc.nat(30).map(h),
    ok: fc.constant(true as const),
    score: fc.double({ min: 1, max: 5, noNaN: true }),
    probabilities: fifths,
    mass: fc.option(share),
    confidence: share,
    samples: fc.option(
      fc.record({ n: fc.nat(99), counts: fc.array(fc.nat(99), { minLength: 5, maxLength: 5 }) }),
      {
        nil: undefined,
      },
    ),
  }),
  fc.record({ image: fc.nat(30).map(h), ok: fc.constant(false as const), reason: fc.string() }),
);
const letters = fc.record({ n: fc.nat(99), counts: fc.array(fc.nat(99), { minLength: 2, maxLength: 3 }) });
const pairRow: fc.Arbitrary<PairRow> = fc
  .tuple(
    fc.nat(30),
    fc.integer({ min: 1, max: 30 }),
    share,
    fc.option(share),
    fc.option(share),
    fc.option(fc.double({ min: -50, max: 50, noNaN: true })),
    share,
    fc.option(fc.record({ ab: letters, ba: fc.option(letters) }), { nil: undefined }),
  )
  .map(([a, by, p, pAB, pBA, positionBias, confidence, samples]) => ({
    a: h(a),
    b: h(a + by),
    ok: true as const,
    p,
    pAB,
    pBA,
    positionBias,
    confidence,
    samples,
  }));

describe("labels to and from Parquet", () => {
  it("come back bit by bit, a person's too, and a second time change nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pointRow, { maxLength: 20 }),
        fc.array(pairRow, { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(30), fc.option(fc.double({ min: 1, max: 5, noNaN: true }))), {
          maxLength: 5,
        }),
        fc.array(fc.tuple(fc.nat(9), fc.integer({ min: 10, max: 19 }), fc.constantFrom(0, 0.5, 1, null)), {
          maxLength: 5,
        }),
        async (points, pairs, scores, preferences) => {
          const [from, to] = [newStore(), newStore()];
          from.registerTeacher(teacher);
          from.putPoints("t1", points);
          from.putPairs("t1", pairs);
          for (const [i, score] of scores) from.overridePoint(h(i), score);
          for (const [a, b, p] of preferences) from.overridePair(h(a), h(b), p);
          // Another teacher's labels stay out.
          from.registerTeacher({ ...teacher, fingerprint: "t2" });
          from.putPoints("t2", [
            { image: h(99), ok: true, score: 2, probabilities: [0, 0, 0, 1, 0], mass: 1, confidence: 1 },
          ]);
          const dir = temporaryFolder();
          const written = await exportLabelsParquet(from, "t1", dir);
          expect(readdirSync(dir).sort()).toEqual(["pairs.parquet", "points.parquet"]);
          const read = await importLabelsParquet(to, dir);
          const all = rowsOf(from);
          const wanted = { points: all.points.filter((row) => row.fingerprint !== "t2"), pairs: all.pairs };
          expect(rowsOf(to)).toEqual(wanted);
          expect(written).toMatchObject({ points: wanted.points.length, pairs: wanted.pairs.length });
          expect(read).toEqual({
            teacher: "t1",
            points: { added: wanted.points.length, known: 0 },
            pairs: { added: wanted.pairs.length, known: 0 },
          });
          const snapshot = to.snapshot("t1");
          expect(to.digest("t1", snapshot, 0.1)).toBe(from.digest("t1", from.snapshot("t1"), 0.1));
          expect(await importLabelsParquet(to, dir)).toMatchObject({
            points: { added: 0, known: wanted.points.length },
            pairs: { added: 0, known: wanted.pairs.length },
          });
          expect(to.snapshot("t1")).toEqual(snapshot);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("say whose they are, under names that other tools can use", async () => {
    const store = newStore();
    store.registerTeacher(teacher);
    store.putPoints("t1", [
      {
        image: h(1),
        ok: true,
        score: 3.5,
        probabilities: [0.1, 0.5, 0.2, 0.2, 0],
        mass: 0.9,
        confidence: 0.25,
        samples: { n: 4, counts: [0, 2, 1, 1, 0] },
      },
    ]);
    store.overridePoint(h(1), 2);
    store.putPairs("t1", [
      { a: h(1), b: h(2), ok: true, p: 0.75, pAB: 0.8, pBA: null, positionBias: null, confidence: 0.2 },
    ]);
    const dir = temporaryFolder();
    const { files } = await exportLabelsParquet(store, "t1", dir);
    const read = async (file: string) => {
      const buffer = await asyncBufferFromFile(file);
      const { key_value_metadata } = await parquetMetadataAsync(buffer);
      return { rows: await parquetReadObjects({ file: buffer }), key_value_metadata };
    };
    const points = await read(files[0]!);
    expect(points.rows).toEqual([
      {
        image: h(1),
        score: 3.5,
        p_excellent: 0.1,
        p_good: 0.5,
        p_fair: 0.2,
        p_poor: 0.2,
        p_bad: 0,
        mass: 0.9,
        confidence: 0.25,
        human: false,
        samples: '{"n":4,"counts":[0,2,1,1,0]}',
      },
      {
        image: h(1),
        score: 2,
        p_excellent: null,
        p_good: null,
        p_fair: null,
        p_poor: null,
        p_bad: null,
        mass: null,
        confidence: 1,
        human: true,
        samples: null,
      },
    ]);
    expect(Object.fromEntries(points.key_value_metadata!.map(({ key, value }) => [key, value]))).toEqual({
      "leaf.labels.version": "1",
      "leaf.teacher.fingerprint": "t1",
      "leaf.teacher.kind": "openai",
      "leaf.teacher.description": JSON.stringify(teacher.description),
    });
    expect((await read(files[1]!)).rows).toEqual([
      {
        a: h(1),
        b: h(2),
        p: 0.75,
        p_ab: 0.8,
        p_ba: null,
        position_bias: null,
        confidence: 0.2,
        human: false,
        samples: null,
      },
    ]);
    const other = newStore();
    await importLabelsParquet(other, dir);
    expect(other.db.prepare("SELECT kind, description FROM teachers WHERE fingerprint = 't1'").get()).toEqual(
      {
        kind: "openai",
        description: JSON.stringify(teacher.description),
      },
    );
  });

  it("fill several row groups, whose ends meet", async () => {
    const [from, to] = [newStore(), newStore()];
    from.registerTeacher(teacher);
    const n = 40_001;
    const rows = Array.from(
      { length: n },
      (_, i): PointRow => ({
        image: h(i),
        ok: true,
        score: 1 + (i % 401) / 100,
        probabilities: [0, 0, 1, 0, 0],
        mass: 1,
        confidence: 1,
      }),
    );
    for (let i = 0; i < n; i += 5000) from.putPoints("t1", rows.slice(i, i + 5000));
    const dir = temporaryFolder();
    const { files } = await exportLabelsParquet(from, "t1", dir);
    const { row_groups } = await parquetMetadataAsync(await asyncBufferFromFile(files[0]!));
    expect(row_groups.map((group) => Number(group.num_rows))).toEqual([20_000, 20_000, 1]);
    expect((await importLabelsParquet(to, dir)).points).toEqual({ added: n, known: 0 });
    expect(to.digest("t1", to.snapshot("t1"), 0)).toBe(from.digest("t1", from.snapshot("t1"), 0));
  });

  it("never take the place of what the store has", async () => {
    const [from, to] = [newStore(), newStore()];
    const point = (score: number): PointRow => ({
      image: h(1),
      ok: true,
      score,
      probabilities: [0, 0, 1, 0, 0],
      mass: 1,
      confidence: 1,
    });
    for (const [store, score] of [
      [from, 2],
      [to, 4],
    ] as const) {
      store.registerTeacher(teacher);
      store.putPoints("t1", [point(score)]);
      store.overridePoint(h(1), score + 0.5);
    }
    const dir = temporaryFolder();
    await exportLabelsParquet(from, "t1", dir);
    expect((await importLabelsParquet(to, dir)).points).toEqual({ added: 0, known: 2 });
    expect(to.ownScores("t1").get(h(1))).toBe(4);
    expect(to.ownScores(human).get(h(1))).toBe(4.5);
  });

  it("are refused where they are no label files, and a bad row is named and left out", async () => {
    const store = newStore();
    const dir = temporaryFolder();
    await expect(importLabelsParquet(store, dir)).rejects.toMatchObject({
      code: "input",
      message: /holds no points\.parquet/,
    });
    await expect(exportLabelsParquet(store, "t9", dir)).rejects.toMatchObject({
      code: "input",
      message: /no labels of the teacher t9/,
    });
    const file = path.join(dir, "points.parquet");
    writeFileSync(file, "PAR1");
    await expect(importLabelsParquet(store, dir)).rejects.toMatchObject({
      code: "input",
      message: /cannot be read as Parquet/,
    });
    const put = (
      rows: Record<string, unknown>[],
      metadata = { "leaf.teacher.fingerprint": "t1", "leaf.teacher.kind": "openai" } as Record<
        string,
        string
      >,
    ) =>
      parquetWriteFile({
        filename: file,
        columnData: Object.keys(rows[0]!).map((name) => ({ name, data: rows.map((row) => row[name]) })),
        kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      });
    const good = {
      image: h(1),
      score: 3.5,
      p_excellent: 0.1,
      p_good: 0.45,
      p_fair: 0.2,
      p_poor: 0.2,
      p_bad: 0.05,
      mass: 0.9,
      confidence: 0.25,
      human: false,
    };
    put([good], {});
    await expect(importLabelsParquet(store, dir)).rejects.toThrow(
      "points.parquet does not say whose labels it holds.",
    );
    put([good], {
      "leaf.labels.version": "2",
      "leaf.teacher.fingerprint": "t1",
      "leaf.teacher.kind": "openai",
    });
    await expect(importLabelsParquet(store, dir)).rejects.toThrow("newer version");
    const { mass: _, ...short } = good;
    put([short]);
    await expect(importLabelsParquet(store, dir)).rejects.toThrow('points.parquet has no column "mass"');
    for (const wrong of [
      { image: "a.png" },
      { score: 5.5 },
      { p_bad: 1.5 },
      { confidence: Number.NaN },
      { mass: -0.5 },
    ]) {
      put([{ ...good, image: h(2), ...wrong }, good]);
      const [column] = Object.keys(wrong) as [string];
      expect(await importLabelsParquet(store, dir), JSON.stringify(wrong)).toMatchObject({
        bad: {
          count: 1,
          examples: [expect.stringMatching(`^points\\.parquet row 1: ${column.replace("p_", "")} is `)],
        },
      });
      expect(rowsOf(store).points.map(({ hash }) => hash)).toEqual([h(1)]);
    }
    put([good]);
    expect(await importLabelsParquet(store, dir)).toMatchObject({ points: { added: 0, known: 1 } });
  });

  it("stop when told to, and leave no half file", async () => {
    const store = newStore();
    store.registerTeacher(teacher);
    store.putPoints("t1", [
      { image: h(1), ok: true, score: 3, probabilities: [0, 0, 1, 0, 0], mass: 1, confidence: 1 },
    ]);
    const dir = temporaryFolder();
    const signal = AbortSignal.abort();
    await expect(exportLabelsParquet(store, "t1", dir, { signal })).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(readdirSync(dir)).toEqual([]);
    await exportLabelsParquet(store, "t1", dir);
    await expect(importLabelsParquet(store, dir, { signal })).rejects.toMatchObject({ code: "cancelled" });
  });
});
