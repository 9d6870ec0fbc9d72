import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { hashBytes } from "../../../src/engine/base/files.ts";
import type { LabellingOptions } from "../../../src/engine/labelling/asking.ts";
import { labelDataset, pairsToLabel } from "../../../src/engine/labelling/labelling.ts";
import type { PairPlan } from "../../../src/engine/labelling/pairs.ts";
import { type LabelStore, openLabels } from "../../../src/engine/labels/labels.ts";
import {
  expectedScore,
  pairConfidence,
  type RatingProbabilities,
  sigmoid,
} from "../../../src/engine/teachers/judgement.ts";
import type {
  PairPreference,
  PointJudgement,
  Teacher,
  TeacherImage,
} from "../../../src/engine/teachers/teacher.ts";
import type { ItemFailure } from "../../../src/protocol/failures.ts";
import type { Progress } from "../../../src/protocol/progress.ts";
import { say } from "../../../src/words/text.ts";

const root = mkdtempSync(path.join(tmpdir(), "leaf-labelling-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
let store: LabelStore;
beforeEach(() => {
  store = openLabels(path.join(root, String(made++), "labels.sqlite"));
});
afterEach(() => store.close());

/** Images whose only byte is their quality. */
function imagesOf(n: number): TeacherImage[] {
  const images = Array.from({ length: n }, (_, i) => {
    const bytes = Buffer.from([i]);
    return { hash: hashBytes(bytes), name: `${i}.png`, read: async () => bytes };
  });
  return images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
}

interface FakeTeacher extends Teacher {
  /** Names of the images of each call. */
  pointCalls: string[][];
  pairCalls: [string, string][][];
  underWay: number;
  mostUnderWay: number;
}

interface FakeOptions {
  fingerprint?: string;
  batchSize?: number;
  /** Names of images that it cannot read. */
  broken?: Set<string>;
  /** Called at the start of each call; may throw. */
  before?: (kind: "points" | "pairs", call: number) => Promise<void> | void;
  /** In logits, towards the first place. */
  positionBias?: number;
}

/** Reads the byte of each image; quality q of 255 is the score 1 + 4q / 255. */
function fakeTeacher(options: FakeOptions = {}): FakeTeacher {
  const quality = async (image: TeacherImage) => (await image.read())[0]! / 255;
  const isBroken = (image: TeacherImage) => options.broken?.has(image.name) ?? false;
  const teacher: FakeTeacher = {
    kind: "fake",
    fingerprint: options.fingerprint ?? "fake-1",
    description: { fake: true },
    batchSize: options.batchSize ?? 4,
    pointCalls: [],
    pairCalls: [],
    underWay: 0,
    mostUnderWay: 0,
    async judgePoints(images) {
      const call = teacher.pointCalls.push(images.map((image) => image.name)) - 1;
      return counted(async () => {
        await options.before?.("points", call);
        return Promise.all(
          images.map(async (image): Promise<PointJudgement> => {
            if (isBroken(image)) return { ok: false, reason: "it is broken" };
            const q = await quality(image);
            return { ok: true, probabilities: [q, 0, 0, 0, 1 - q], mass: 0.9 };
          }),
        );
      });
    },
    async judgePairs(pairs, _signal, orders) {
      const call = teacher.pairCalls.push(pairs.map(([a, b]) => [a.name, b.name])) - 1;
      return counted(async () => {
        await options.before?.("pairs", call);
        return Promise.all(
          pairs.map(async ([a, b]): Promise<PairPreference> => {
            if (isBroken(a) || isBroken(b)) return { ok: false, reason: "it is broken" };
            const difference = 10 * ((await quality(a)) - (await quality(b)));
            const bias = options.positionBias ?? 0;
            const pBA = orders === "one" ? null : sigmoid(difference - bias);
            return { ok: true, pAB: sigmoid(difference + bias), pBA };
          }),
        );
      });
    },
    close: async () => {},
  };
  async function counted<T>(work: () => Promise<T>): Promise<T> {
    teacher.mostUnderWay = Math.max(teacher.mostUnderWay, ++teacher.underWay);
    try {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await work();
    } finally {
      teacher.underWay--;
    }
  }
  return teacher;
}

const plan: PairPlan = { perImage: 4, strategy: "mixed", seed: 0 };
const label = (teacher: Teacher, images: TeacherImage[], options: Partial<LabellingOptions> = {}) =>
  labelDataset({ store, teacher, images: () => images, pairs: plan, minConfidence: 0.1, ...options });

describe("labelling", () => {
  it("judges every image and about the pairs asked for, and stores the formulas' values", async () => {
    const images = imagesOf(30);
    const result = await label(fakeTeacher({ positionBias: 1 }), images);
    const pairs = [...store.pairs("fake-1")];
    expect(result).toEqual({
      images: 30,
      points: { labelled: 30, reused: 0, failed: 0 },
      pairs: {
        labelled: 60,
        reused: 0,
        failed: 0,
        kept: pairs.filter((one) => one.confidence >= 0.1).length,
        discarded: pairs.filter((one) => one.confidence < 0.1).length,
      },
    });
    expect(result.pairs.discarded).toBeGreaterThan(0);
    const qualityOf = new Map<string, number>();
    for (const image of images) qualityOf.set(image.hash, (await image.read())[0]! / 255);
    for (const point of store.points("fake-1")) {
      const q = qualityOf.get(point.image)!;
      expect(point.score).toBeCloseTo(1 + 4 * q, 9);
      expect(point.score).toBeCloseTo(expectedScore(point.probabilities as RatingProbabilities), 9);
      expect(point.mass).toBe(0.9);
    }
    for (const pair of pairs) {
      expect(pair.p).toBeCloseTo(sigmoid(10 * (qualityOf.get(pair.a)! - qualityOf.get(pair.b)!)), 9);
      expect(pair.positionBias).toBeCloseTo(2, 6);
      expect(pair.confidence).toBeCloseTo(pairConfidence(pair.p), 9);
    }
    expect(
      [
        ...pairsToLabel(
          store,
          "fake-1",
          images.map((i) => i.hash),
          plan,
        ),
      ]
        .map(String)
        .sort(),
    ).toEqual(pairs.map((one) => `${one.a},${one.b}`));
  });

  it("asks nothing twice, and anew only what a change of the plan adds", async () => {
    const images = imagesOf(40);
    const first = await label(fakeTeacher(), images);
    const again = fakeTeacher();
    expect(await label(again, images)).toEqual({
      images: 40,
      points: { labelled: 0, reused: 40, failed: 0 },
      pairs: { ...first.pairs, labelled: 0, reused: 80 },
    });
    expect(again.pointCalls).toEqual([]);
    expect(again.pairCalls).toEqual([]);

    const more = await label(fakeTeacher(), images, { pairs: { ...plan, perImage: 6 } });
    expect(more.pairs).toMatchObject({ labelled: 40, reused: 80 });
    const other = fakeTeacher({ fingerprint: "fake-2" });
    expect(await label(other, images)).toEqual(first);
    expect([...store.pairs("fake-2")]).toHaveLength(80);
  });

  it("chooses adaptive pairs in rounds by what the store has, so that a run that was cut off goes on as if it had not been", async () => {
    const images = imagesOf(40);
    const pairs: PairPlan = { perImage: 6, strategy: "adaptive", seed: 0 };
    const whole = fakeTeacher({ fingerprint: "whole" });
    const result = await label(whole, images, { pairs, concurrency: 3 });
    expect(result.pairs).toMatchObject({ labelled: 120, reused: 0, failed: 0 });
    const cut = fakeTeacher({
      before(kind, call) {
        if (kind === "pairs" && call === 17) throw new LeafError("failed", say`The server is gone.`);
      },
    });
    await expect(label(cut, images, { pairs })).rejects.toThrow("The server is gone");
    const stored = [...store.pairs("fake-1")].length;
    expect(stored).toBeGreaterThan(40);
    const rest = fakeTeacher();
    expect((await label(rest, images, { pairs })).pairs).toEqual({
      ...result.pairs,
      labelled: 120 - stored,
      reused: stored,
    });
    const of = (teacher: string) => Array.from(store.pairs(teacher), ({ a, b }) => `${a} ${b}`);
    expect(of("fake-1")).toEqual(of("whole"));
    const hashes = images.map(({ hash }) => hash);
    const known = [...pairsToLabel(store, "whole", hashes, pairs)].map((pair) => pair.join(" "));
    expect(known.sort()).toEqual(of("whole"));
    // Another teacher may be asked the pairs that the first one's answers chose.
    const second = fakeTeacher({ fingerprint: "second", positionBias: 3 });
    await label(second, images, { pairs, leader: "whole" });
    expect(of("second")).toEqual(of("whole"));
  });

  it("pairs only the images that are learnt from, and counts apart what is asked beside", async () => {
    const images = imagesOf(40);
    const hashes = images.map(({ hash }) => hash);
    const [train, val, test] = [hashes.slice(0, 24), hashes.slice(24, 30), hashes.slice(30)];
    const judged = images.filter(({ hash }) => !test.includes(hash));
    const imageOf = (hash: string) => images.find((image) => image.hash === hash)!;
    const named: Partial<LabellingOptions> = { paired: () => train, imageOf };
    const first = await label(fakeTeacher(), judged, named);
    expect(first).toMatchObject({ images: 30, points: { labelled: 30 }, pairs: { labelled: 48 } });
    expect(first).not.toHaveProperty("checks");
    for (const { a, b } of store.pairs("fake-1")) expect(train).toEqual(expect.arrayContaining([a, b]));
    expect([...store.points("fake-1")].map(({ image }) => image)).toEqual([...train, ...val]);

    const checks = {
      images: test,
      pairs: [[val[0]!, val[1]!], [...store.pairs("fake-1")].map(({ a, b }) => [a, b])[0]!] as [
        string,
        string,
      ][],
    };
    const broken = new Set([imageOf(test[0]!).name]);
    const again = await label(fakeTeacher({ broken }), judged, { ...named, checks, stopAfterFailures: 1 });
    expect(again.pairs).toEqual({ ...first.pairs, labelled: 0, reused: 48 });
    expect(again.checks).toEqual({
      points: { labelled: 9, reused: 0, failed: 1 },
      pairs: { labelled: 1, reused: 1, failed: 0 },
    });
    // Where all of them fail the labels are as good.
    const all = { images: [test[0]!], pairs: [] };
    const failed = await label(fakeTeacher({ broken }), judged, { ...named, checks: all });
    expect(failed.checks).toMatchObject({ points: { failed: 1 } });
    expect((await label(fakeTeacher(), judged, { ...named, checks: { images: [], pairs: [] } })).checks).toBe(
      undefined,
    );
  });

  it("asks in batches of the teacher's size, and only so many at once", async () => {
    const images = imagesOf(30);
    const teacher = fakeTeacher({ batchSize: 7 });
    await label(teacher, images, { concurrency: 3 });
    expect(teacher.pointCalls.map((call) => call.length)).toEqual([7, 7, 7, 7, 2]);
    expect(teacher.pairCalls.map((call) => call.length)).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 4]);
    expect(teacher.mostUnderWay).toBe(3);
    const alone = fakeTeacher({ fingerprint: "alone" });
    await label(alone, images);
    expect(alone.mostUnderWay).toBe(1);
    expect(new Set(alone.pointCalls.flat())).toEqual(new Set(images.map((image) => image.name)));
  });

  it("counts a broken image and its pairs as failed, goes on, and asks again in the next run", async () => {
    const images = imagesOf(20);
    const teacher = fakeTeacher({ broken: new Set(["3.png", "7.png"]) });
    const result = await label(teacher, images);
    expect(result.points).toEqual({ labelled: 18, reused: 0, failed: 2 });
    expect(result.pairs.labelled + result.pairs.failed).toBe(40);
    expect(result.pairs.failed).toBeGreaterThan(4);
    expect(teacher.pairCalls.flat(2)).not.toContain("3.png");

    const mended = await label(fakeTeacher(), images);
    expect(mended.points).toEqual({ labelled: 2, reused: 18, failed: 0 });
    expect(mended.pairs).toMatchObject({ labelled: expect.any(Number), failed: 0 });
    expect(mended.pairs.labelled).toBeGreaterThanOrEqual(result.pairs.failed);
    expect(mended.pairs.labelled + mended.pairs.reused).toBe(40);
    expect([...store.failedPoints("fake-1")]).toEqual([]);
  });

  it("does not use an answer that is not about the rating words, or no probability", async () => {
    const images = imagesOf(6);
    const teacher = fakeTeacher();
    const judge = teacher.judgePoints;
    teacher.judgePoints = async (some, signal) =>
      (await judge(some, signal)).map((judged, i): PointJudgement => {
        if (some[i]!.name === "0.png")
          return { ...judged, ok: true, probabilities: [1, 0, 0, 0, 0], mass: 0.3 };
        if (some[i]!.name === "1.png") return { ok: true, probabilities: [Number.NaN, 0, 0, 0, 1], mass: 1 };
        return judged;
      });
    const prefer = teacher.judgePairs;
    teacher.judgePairs = async (pairs, signal) =>
      (await prefer(pairs, signal)).map((one, i) =>
        pairs[i]!.some((image) => image.name === "2.png") ? { ok: true, pAB: Number.NaN, pBA: 0.5 } : one,
      );
    const result = await label(teacher, images, { pairs: { ...plan, perImage: 5 } });
    expect(result.points).toEqual({ labelled: 4, reused: 0, failed: 2 });
    // 15 pairs: 6 among 2 … 5, of which 3 have image 2.
    expect(result.pairs).toMatchObject({ labelled: 3, failed: 12 });
    expect([...store.failedPoints("fake-1")].map((one) => one.reason).sort()).toEqual([
      "only 0.30 of the answer is on the rating words",
      "the teacher's probabilities do not sum to 1",
    ]);
  });

  it("keeps what was done when the teacher fails in the middle, and goes on from there", async () => {
    const images = imagesOf(32);
    const failing = fakeTeacher({
      before: (kind, call) => {
        if (kind === "pairs" && call === 6)
          throw new LeafError("environment", say`The endpoint does not answer.`);
      },
    });
    await expect(label(failing, images)).rejects.toThrow("The endpoint does not answer.");
    expect([...store.points("fake-1")]).toHaveLength(32);
    expect([...store.pairs("fake-1")]).toHaveLength(24);
    expect((await label(fakeTeacher(), images)).pairs).toMatchObject({ labelled: 40, reused: 24 });

    const early = fakeTeacher({
      fingerprint: "early",
      before: (kind, call) => {
        if (kind === "points" && call === 3) throw new Error("out of memory");
      },
    });
    await expect(label(early, images)).rejects.toThrow("out of memory");
    expect([...store.points("early")]).toHaveLength(12);
    expect(early.pairCalls).toEqual([]);
  });

  it("stops when it is cancelled, and keeps the finished batches", async () => {
    const images = imagesOf(32);
    for (const [fingerprint, stopAt, whileAsked] of [
      ["between", 4, false],
      ["inside", 4, true],
    ] as const) {
      const controller = new AbortController();
      const teacher = fakeTeacher({
        fingerprint,
        before: (_kind, call) => {
          if (call !== stopAt) return;
          controller.abort();
          if (whileAsked) throw new DOMException("aborted", "AbortError");
        },
      });
      await expect(label(teacher, images, { signal: controller.signal })).rejects.toMatchObject({
        code: "cancelled",
      });
      expect([...store.points(fingerprint)]).toHaveLength(whileAsked ? 16 : 20);
      expect(teacher.pointCalls).toHaveLength(5);
    }
    const aborted = AbortSignal.abort();
    await expect(label(fakeTeacher(), images, { signal: aborted })).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  it("tells a teacher that answers too little", async () => {
    const teacher = fakeTeacher();
    teacher.judgePoints = async () => [];
    await expect(label(teacher, imagesOf(3))).rejects.toThrow("The teacher gave 0 answers for 3 questions.");
  });

  it("reports progress that ends at the total", async () => {
    const seen: Progress[] = [];
    await label(fakeTeacher({ broken: new Set(["3.png"]) }), imagesOf(25), {
      concurrency: 2,
      onProgress: (progress) => seen.push(progress),
    });
    for (const [step, total, unit] of [
      ["points", 25, "images"],
      ["pairs", 50, "pairs"],
    ] as const) {
      const of = seen.filter((progress) => progress.step === step);
      expect(of.at(-1)).toEqual({ stage: "label", step, done: total, total, unit });
      const done = of.map((progress) => progress.done);
      expect(done).toEqual([...done].sort((a, b) => a - b));
    }
  });

  it("does one half alone if asked to", async () => {
    const images = imagesOf(12);
    const points = await label(fakeTeacher(), images, { only: "points" });
    expect(points).toMatchObject({ points: { labelled: 12 }, pairs: { labelled: 0 } });
    const imageOf = (hash: string) => images.find((image) => image.hash === hash)!;
    const pairs = await label(fakeTeacher(), images, { only: "pairs", imageOf });
    expect(pairs).toMatchObject({ images: 12, points: { labelled: 0, reused: 0 }, pairs: { labelled: 24 } });
  });

  it("is not moved by a person's scores", async () => {
    const images = imagesOf(30);
    const near = { ...plan, strategy: "near" as const };
    await label(fakeTeacher(), images, { pairs: near });
    for (const image of images.slice(0, 10)) store.overridePoint(image.hash, 1);
    const again = fakeTeacher();
    expect((await label(again, images, { pairs: near })).pairs).toMatchObject({ labelled: 0, reused: 60 });
    expect(again.pairCalls).toEqual([]);
  });

  it("asks one order at half the price, and both of the same pairs once they are wanted", async () => {
    const images = imagesOf(10);
    const biased = () => fakeTeacher({ positionBias: 1 });
    const one = await label(biased(), images, { orders: "one" });
    expect(one.pairs).toMatchObject({ labelled: 20, reused: 0 });
    for (const pair of store.pairs("fake-1"))
      expect(pair).toMatchObject({ p: pair.pAB, pBA: null, positionBias: null });
    expect(store.positionBias("fake-1")).toBeNull();
    expect((await label(biased(), images, { orders: "one" })).pairs).toMatchObject({ reused: 20 });
    expect((await label(biased(), images)).pairs).toMatchObject({ labelled: 20, reused: 0 });
    for (const pair of store.pairs("fake-1")) expect(pair.positionBias).toBeCloseTo(2, 6);
    // An answer in both orders also serves where one is enough.
    expect((await label(biased(), images, { orders: "one" })).pairs).toMatchObject({ reused: 20 });
  });

  it("a failure in both orders leaves the answer in one", async () => {
    const images = imagesOf(4);
    await label(fakeTeacher(), images, { orders: "one" });
    const failing = fakeTeacher();
    failing.judgePairs = async (pairs) => pairs.map(() => ({ ok: false, reason: "stalled" }));
    await expect(label(failing, images)).rejects.toThrow("none of the 6 pairs");
    expect([...store.pairs("fake-1")]).toHaveLength(6);
  });

  it("measures position bias over the pairs asked in both orders", async () => {
    store.registerTeacher({ fingerprint: "t", kind: "fake", description: {} });
    const row = (b: string, pAB: number, pBA: number) => ({
      a: "0",
      b,
      ok: true as const,
      p: 0.5,
      pAB,
      pBA,
      positionBias: 4 * Number(b),
      confidence: 0,
    });
    // First image preferred in both orders; never; agreeing.
    store.putPairs("t", [row("1", 0.9, 0.3), row("2", 0.2, 0.8), row("3", 0.7, 0.7)]);
    const bias = store.positionBias("t")!;
    expect(bias.pairs).toBe(3);
    expect(bias.first).toBeCloseTo((0.8 + 0.2 + 0.5) / 3, 12);
    expect(bias.flipped).toBeCloseTo(2 / 3, 12);
    expect(bias.logits.mean).toBeCloseTo(8, 12);
    expect(bias.logits.sd).toBeCloseTo(Math.sqrt(32 / 3), 12);
  });

  it("asks for reasons once, of images that have a score, and keeps them out of it", async () => {
    const images = imagesOf(9);
    const asked: string[] = [];
    const wordy = (): Teacher => ({
      ...fakeTeacher({ broken: new Set(["3.png"]) }),
      async explain(some) {
        asked.push(...some.map(({ name }) => name));
        return some.map(({ name }) =>
          name === "5.png" ? { ok: false, reason: "stalled" } : { ok: true, text: `blur in ${name}` },
        );
      },
    });
    expect((await label(wordy(), images)).reasons).toBeUndefined();
    const scores = [...store.points("fake-1")];
    expect((await label(wordy(), images, { reasons: true })).reasons).toEqual({
      labelled: 7,
      reused: 0,
      failed: 2,
    });
    expect(asked).not.toContain("3.png");
    expect(store.reason("fake-1", images.find(({ name }) => name === "1.png")!.hash)).toBe("blur in 1.png");
    expect([...store.points("fake-1")]).toEqual(scores);
    asked.length = 0;
    expect((await label(wordy(), images, { reasons: true })).reasons).toMatchObject({
      labelled: 0,
      reused: 7,
    });
    expect(asked).toEqual(["5.png"]);
    expect((await label(fakeTeacher(), images, { reasons: true })).reasons).toMatchObject({ labelled: 0 });
  });

  it("does nothing for no images, and no pairs for one", async () => {
    expect(await label(fakeTeacher(), [])).toMatchObject({ images: 0, pairs: { labelled: 0 } });
    expect(await label(fakeTeacher(), imagesOf(1))).toMatchObject({
      points: { labelled: 1 },
      pairs: { labelled: 0 },
    });
  });

  describe("where nothing works", () => {
    const refusing = (reason = "the server refuses it (HTTP 400)"): FakeTeacher => {
      const teacher = fakeTeacher({ batchSize: 1 });
      teacher.concurrency = 4;
      teacher.judgePoints = async (images) => {
        teacher.pointCalls.push(images.map(({ name }) => name));
        return images.map(() => ({ ok: false, reason }));
      };
      teacher.judgePairs = async (pairs) => {
        teacher.pairCalls.push(pairs.map(([a, b]) => [a.name, b.name]));
        return pairs.map(() => ({ ok: false, reason }));
      };
      return teacher;
    };

    it("stops after the first answers, says why with an example, and stores what was answered", async () => {
      const teacher = refusing();
      const told: ItemFailure[] = [];
      const run = label(teacher, imagesOf(200), { onFailure: (one) => told.push(one) });
      await expect(run).rejects.toMatchObject({
        code: "failed",
        message: expect.stringMatching(
          /first 20 answers about images all failed.* For example \d+\.png: the server refuses it \(HTTP 400\)\./,
        ),
        remedy: expect.stringContaining("label.stopAfterFailures"),
      });
      expect(teacher.pointCalls.length).toBeLessThanOrEqual(20 + 4);
      expect(told.length).toBe([...store.failedPoints("fake-1")].length);
      expect(told.length).toBeGreaterThanOrEqual(20);
      expect(new Set(told.map(({ kind, reason }) => `${kind} ${reason}`))).toEqual(
        new Set(["point the server refuses it (HTTP 400)"]),
      );
    });

    it("cancels the questions under way when it stops", async () => {
      const teacher = refusing();
      const judge = teacher.judgePoints;
      let cancelled = 0;
      let asked = 0;
      teacher.judgePoints = (images, signal) => {
        // The first never answers by itself.
        if (asked++ > 0) return judge(images);
        return new Promise((_, reject) =>
          signal!.addEventListener("abort", () => {
            cancelled++;
            reject(new LeafError("cancelled", say`Cancelled.`));
          }),
        );
      };
      await expect(label(teacher, imagesOf(60))).rejects.toThrow("first 20 answers");
      expect(cancelled).toBe(1);
    });

    it("asks all if told to, and fails all the same; so do fewer images than it stops at", async () => {
      const all = refusing();
      const everything = label(all, imagesOf(60), { stopAfterFailures: null });
      await expect(everything).rejects.toThrow("none of the 60 images");
      expect(all.pointCalls).toHaveLength(60);
      const few = refusing();
      await expect(label(few, imagesOf(3), {})).rejects.toThrow("none of the 3 images");
      expect(few.pairCalls).toEqual([]);
    });

    it("goes on for good once one answer is good, whatever comes after", async () => {
      const teacher = refusing();
      const judge = teacher.judgePoints;
      let answered = 0;
      teacher.judgePoints = (images, signal) =>
        ++answered === 20
          ? Promise.resolve([{ ok: true, probabilities: [1, 0, 0, 0, 0], mass: 0.9 }])
          : judge(images, signal);
      const result = await label(teacher, imagesOf(90), { only: "points" });
      expect(result.points).toEqual({ labelled: 1, reused: 0, failed: 89 });
    });

    it("pauses once where more than a share fails, says why with an example, and goes on when it is run again", async () => {
      const images = imagesOf(200);
      const teacher = () => {
        const one = fakeTeacher({ batchSize: 1 });
        const judge = one.judgePoints;
        one.judgePoints = (some, signal) => {
          if (Number.parseInt(some[0]!.name, 10) % 3 === 0) return judge(some, signal);
          one.pointCalls.push([some[0]!.name]);
          return Promise.resolve([{ ok: false, reason: "too dark" }]);
        };
        return one;
      };
      const half = { only: "points", pauseAtFailures: 0.5 } as const;
      const first = teacher();
      await expect(label(first, images, half)).rejects.toMatchObject({
        code: "failed",
        message: expect.stringMatching(
          /^\d+ of the teacher's last 40 answers about images failed, so LEAF paused\. For example \d+\.png: too dark\.$/,
        ),
        remedy: expect.stringContaining("`leaf label`"),
      });
      expect(first.pointCalls.length).toBeLessThan(60);
      const kept = [...store.points("fake-1")].length;
      const result = await label(teacher(), images, half);
      expect(result.points).toEqual({ labelled: 67 - kept, reused: kept, failed: 133 });
      // They are within the share that is allowed here.
      const lenient = fakeTeacher({
        fingerprint: "fake-2",
        batchSize: 1,
        broken: new Set(
          images.filter(({ name }) => Number.parseInt(name, 10) % 3 > 0).map(({ name }) => name),
        ),
      });
      const all = await label(lenient, images, { only: "points", pauseAtFailures: 0.95 });
      expect(all.points.failed).toBe(133);
    });

    it("pauses in pairs as in images", async () => {
      const teacher = fakeTeacher({ batchSize: 1 });
      let asked = 0;
      teacher.judgePairs = async () => [
        ++asked % 4 === 0 ? { ok: true, pAB: 0.9, pBA: 0.8 } : { ok: false, reason: "no" },
      ];
      const run = label(teacher, imagesOf(60), { pauseAtFailures: 0.5 });
      await expect(run).rejects.toThrow(
        /answers about pairs failed, so LEAF paused\. For example \d+\.png and \d+\.png: no\.$/,
      );
      expect(asked).toBeLessThan(60);
    });

    it("stops in pairs too, and keeps the images' labels", async () => {
      const teacher = refusing("only 0.00 of the answer is on the letters");
      teacher.judgePoints = fakeTeacher().judgePoints;
      const told: ItemFailure[] = [];
      const run = label(teacher, imagesOf(60), { onFailure: (one) => told.push(one) });
      await expect(run).rejects.toThrow(
        /first 20 answers about pairs .* For example \d+\.png and \d+\.png: only 0\.00/,
      );
      expect(teacher.pairCalls.length).toBeLessThanOrEqual(24);
      expect([...store.points("fake-1")]).toHaveLength(60);
      expect(told[0]).toMatchObject({ kind: "pair", other: expect.stringMatching(/\.png$/) });
    });

    it("asks again for what failed before in vain only so often, and not at all if told so", async () => {
      const images = imagesOf(100);
      const broken = new Set(Array.from({ length: 60 }, (_, i) => `${i}.png`));
      await label(fakeTeacher({ broken, batchSize: 1 }), images, { only: "points", stopAfterFailures: null });
      const again = refusing();
      const told: ItemFailure[] = [];
      const result = await label(again, images, { only: "points", onFailure: (one) => told.push(one) });
      expect(result.points).toEqual({ labelled: 0, reused: 40, failed: 60 });
      expect(again.pointCalls.length).toBeLessThanOrEqual(24);
      expect(told).toHaveLength(60);
      const never = refusing();
      const quiet = await label(never, images, { only: "points", retryFailed: false });
      expect(quiet.points).toEqual({ labelled: 0, reused: 40, failed: 60 });
      expect(never.pointCalls).toEqual([]);
      // What was mended is found.
      const mended = await label(fakeTeacher(), images, { only: "points" });
      expect(mended.points).toEqual({ labelled: 60, reused: 40, failed: 0 });
    });

    it("new images are still asked while old failures are passed over", async () => {
      const images = imagesOf(100);
      const broken = new Set(Array.from({ length: 30 }, (_, i) => `${i}.png`));
      const teacher = () => fakeTeacher({ broken, batchSize: 1 });
      const known = images.filter(({ name }) => Number.parseInt(name, 10) < 50);
      await label(teacher(), known, { only: "points", stopAfterFailures: null });
      const result = await label(teacher(), images, { only: "points", stopAfterFailures: 5 });
      expect(result.points).toEqual({ labelled: 50, reused: 20, failed: 30 });
    });

    it("gives up on reasons alone, which are no labels", async () => {
      const teacher = fakeTeacher({ batchSize: 1 });
      let asked = 0;
      teacher.explain = async (images) => {
        asked++;
        return images.map(() => ({ ok: false, reason: "the answer has no text" }));
      };
      const told: ItemFailure[] = [];
      const result = await label(teacher, imagesOf(60), {
        reasons: true,
        onFailure: (one) => told.push(one),
      });
      expect(result.reasons).toEqual({ labelled: 0, reused: 0, failed: 60 });
      expect(result.points.labelled).toBe(60);
      expect(asked).toBeLessThanOrEqual(21);
      expect(told.filter(({ kind }) => kind === "reason")).toHaveLength(60);
    });
  });
});
