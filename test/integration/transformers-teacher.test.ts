import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TransformersTeacherConfig, teacherSchema } from "../../src/engine/config/teacher.ts";
import { labelDataset } from "../../src/engine/labelling/labelling.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { pythonSource, resolveInterpreter, trainerEnvironment } from "../../src/engine/python/environment.ts";
import type { Teacher, TeacherImage } from "../../src/engine/teachers/teacher.ts";
import {
  createTransformersTeacher,
  transformersTeacherFingerprint,
} from "../../src/engine/teachers/transformers/teacher.ts";
import { inEnglish } from "../../src/words/text.ts";
import { isAlive } from "../support/processes.ts";

// Loading PyTorch and transformers takes its time on a busy machine.
vi.setConfig({ testTimeout: 240_000 });

const run = promisify(execFile);
const interpreter = resolveInterpreter(undefined, ".");
const dir = mkdtempSync(path.join(tmpdir(), "leaf-teacher-"));
let images: TeacherImage[];

beforeAll(async () => {
  const script = path.join(pythonSource(), "tests", "tiny_vlm.py");
  await run(interpreter, [script, "internvl", path.join(dir, "tiny")], { env: trainerEnvironment() });
  images = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const photo = sharp(path.resolve("demo/photos/coffee.jpg"));
      const crop = photo.extract({ left: 20 * i, top: 30, width: 200 + 40 * i, height: 160 });
      return imageOf(
        `crop${i}.png`,
        await crop
          .blur(0.5 + i)
          .png()
          .toBuffer(),
      );
    }),
  );
  images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function imageOf(name: string, bytes: Buffer): TeacherImage {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  return { hash, name, read: async () => bytes };
}

/** Letters that the tiny model is likely to say. */
function config(changes: Record<string, unknown> = {}): TransformersTeacherConfig {
  return teacherSchema.parse({
    kind: "transformers",
    model: "tiny",
    batch: 4,
    prompts: { letters: ["poor", "good"], tie: "bad" },
    ...changes,
  }) as TransformersTeacherConfig;
}

async function withTeacher<T>(work: (teacher: Teacher) => Promise<T>, changes = {}): Promise<T> {
  const teacher = await createTransformersTeacher(config(changes), { root: dir });
  try {
    return await work(teacher);
  } finally {
    await teacher.close();
  }
}

/** Processes that run this child, whoever started them. */
async function children(): Promise<number[]> {
  const { stdout } = await run("ps", ["-eo", "pid,ppid,args"]);
  return stdout
    .split("\n")
    .filter((line) => line.includes("-m leaf.teacher") && line.includes(` ${process.pid} `))
    .map((line) => Number(line.trim().split(/\s+/)[0]));
}

function dataset(teacher: Teacher, file: string, signal?: AbortSignal) {
  const store = openLabels(path.join(dir, file));
  return labelDataset({
    store,
    teacher,
    images: () => images,
    pairs: { perImage: 4, strategy: "random", seed: 0 },
    minConfidence: 0,
    signal,
  }).finally(() => store.close());
}

describe("teacher.kind: transformers", () => {
  it("labels images and pairs with a real child, and knows them the next time", async () => {
    const result = await withTeacher((teacher) => dataset(teacher, "labels.sqlite"));
    expect(result.points).toEqual({ labelled: 6, reused: 0, failed: 0 });
    expect(result.pairs).toMatchObject({ reused: 0, failed: 0 });
    expect(result.pairs.labelled).toBeGreaterThanOrEqual(12);
    await withTeacher(async (teacher) => {
      const again = await dataset(teacher, "labels.sqlite");
      expect(again.points).toEqual({ labelled: 0, reused: 6, failed: 0 });
      expect(again.pairs.reused).toBe(result.pairs.labelled);
      // Nothing was asked, so no Python was started.
      expect(teacher.about).toBeUndefined();
      expect(await children()).toEqual([]);
    });
  });

  it("gives the same judgements whatever is asked beside them and however little it may remember", async () => {
    const pairs = images.slice(1).map((image) => [images[0]!, image] as [TeacherImage, TeacherImage]);
    const [together, alone] = await Promise.all([
      withTeacher(async (teacher) => ({
        points: await teacher.judgePoints(images),
        pairs: await teacher.judgePairs(pairs),
        about: teacher.about,
      })),
      withTeacher(
        async (teacher) => {
          const points = [];
          for (const image of images) points.push((await teacher.judgePoints([image]))[0]!);
          const judged = [];
          for (const pair of pairs) judged.push((await teacher.judgePairs([pair]))[0]!);
          return { points, pairs: judged };
        },
        { batch: 1, featureMemory: 0 },
      ),
    ]);
    expect(together.about && inEnglish(together.about)).toContain("image features reused");
    for (const [i, point] of together.points.entries()) {
      const other = alone.points[i]!;
      if (!point.ok || !other.ok) throw new Error("a point failed");
      expect(point.mass).toBeCloseTo(other.mass, 4);
      for (const k of point.probabilities.keys())
        expect(point.probabilities[k]).toBeCloseTo(other.probabilities[k]!, 4);
    }
    for (const [i, pair] of together.pairs.entries()) {
      const other = alone.pairs[i]!;
      if (!pair.ok || !other.ok) throw new Error("a pair failed");
      expect(pair.pAB).toBeCloseTo(other.pAB, 4);
      expect(pair.pBA!).toBeCloseTo(other.pBA!, 4);
    }
  });

  it("fails a bad image alone, in points and in its pairs", async () => {
    const bad = imageOf("broken.png", Buffer.from("\x89PNG\r\n\x1a\nnothing", "latin1"));
    const gone: TeacherImage = {
      hash: "0".repeat(32),
      name: "gone.png",
      read: () => Promise.reject(Object.assign(new Error("gone"), { code: "ENOENT" })),
    };
    await withTeacher(async (teacher) => {
      const points = await teacher.judgePoints([images[0]!, bad, gone, images[1]!]);
      expect(points.map(({ ok }) => ok)).toEqual([true, false, false, true]);
      expect(points[1]).toMatchObject({ reason: expect.stringMatching(/^broken\.png: .*corrupt/) });
      expect(points[2]).toMatchObject({ reason: expect.stringContaining("gone.png") });
      const pairs = await teacher.judgePairs([
        [images[0]!, bad],
        [images[0]!, images[1]!],
      ]);
      expect(pairs.map(({ ok }) => ok)).toEqual([false, true]);
    });
  });

  it("asks one order where told so, and shows and explains what it does", async () => {
    await withTeacher(async (teacher) => {
      const [both] = await teacher.judgePairs([[images[0]!, images[1]!]]);
      const [one] = await teacher.judgePairs([[images[0]!, images[1]!]], undefined, "one");
      if (!both?.ok || !one?.ok) throw new Error("a pair failed");
      expect(one).toEqual({ ok: true, pAB: expect.closeTo(both.pAB, 5), pBA: null });

      const [point] = await teacher.judgePoints([images[0]!]);
      const shown = await teacher.inspect!([images[0]!]);
      if (!point?.ok) throw new Error("a point failed");
      expect(shown.mass).toBeCloseTo(point.mass, 5);
      expect(shown.answers.map(({ answer }) => answer)).toEqual(["excellent", "good", "fair", "poor", "bad"]);
      for (const [i, { probability }] of shown.answers.entries())
        expect(probability / shown.mass).toBeCloseTo(point.probabilities[i]!, 5);
      expect(shown.rendered).toMatch(/^<\|im_start\|>user\n<IMG_CONTEXT>Rate.*assistant\n$/s);
      expect(shown.top).toHaveLength(20);
      const pair = await teacher.inspect!([images[0]!, images[1]!]);
      expect(pair.answers.map(({ answer }) => answer)).toEqual(["poor", "good", "bad"]);
      expect(pair.answers[0]!.tokens).toContain("Poor");

      const reasons = await teacher.explain!(images.slice(0, 2));
      for (const reason of reasons) expect(reason).toMatchObject({ ok: true, text: expect.any(String) });
    });
  });

  it("leaves no process when cancelled while it judges or while it loads", async () => {
    for (const when of ["judging", "loading"]) {
      const stop = new AbortController();
      await withTeacher(async (teacher) => {
        if (when === "judging") await teacher.judgePoints([images[0]!]);
        const endless = Array.from({ length: 400 }, (_, i) => images[i % images.length]!);
        const judging = teacher.judgePoints(endless, stop.signal);
        setTimeout(() => stop.abort(), 200);
        await expect(judging).rejects.toMatchObject({ code: "cancelled" });
        expect(await children()).toEqual([]);
      });
    }
  });

  it("tells when its process is killed, and a rerun finishes what is missing", async () => {
    await withTeacher(async (teacher) => {
      await teacher.judgePoints([images[0]!]);
      const [pid] = await children();
      let asked = 0;
      const mortal: Teacher = {
        ...teacher,
        batchSize: 2,
        concurrency: 1,
        judgePoints: (some, signal) => {
          if (asked++ === 1) process.kill(pid!, "SIGKILL");
          return teacher.judgePoints(some, signal);
        },
      };
      await expect(dataset(mortal, "killed.sqlite")).rejects.toMatchObject({
        code: "failed",
        message: expect.stringContaining("killed"),
        remedy: expect.stringContaining("finished labels are kept"),
      });
      expect(isAlive(pid!)).toBe(false);
      const result = await dataset(teacher, "killed.sqlite");
      expect(result.points).toEqual({ labelled: 4, reused: 2, failed: 0 });
      expect(result.pairs.failed).toBe(0);
    });
  });

  it("says what is wrong with a model or a device before it judges", async () => {
    await expect(
      withTeacher((teacher) => teacher.judgePoints(images), { model: "./none" }),
    ).rejects.toMatchObject({
      code: "environment",
      message: expect.stringContaining("./none"),
    });
    await expect(
      withTeacher((teacher) => teacher.judgePoints(images), { device: "cuda" }),
    ).rejects.toMatchObject({
      code: "environment",
      message: "PyTorch sees no CUDA GPU here.",
      remedy: expect.stringContaining("device: auto"),
    });
  });

  it("counts the tokens of what is left by the processor, without loading a model", async () => {
    const work = { points: 10, pairs: 5, orders: "both", reasons: 2 } as const;
    await withTeacher(
      async (teacher) => {
        const found = await teacher.estimate!(work, images[0]!);
        expect(teacher.about).toBeUndefined();
        expect(found).toMatchObject({ requests: 22, outputTokens: 48, cost: null });
        // One tile: 4 tokens and two marks, beside the text of 10 points, 10 pairs and 2 reasons.
        expect(found.inputTokens).toBeGreaterThan(32 * 6);
      },
      { maxTiles: 1 },
    );
  });

  it("has a fingerprint of its own for all that can change a judgement, and the same wherever the folder lies", async () => {
    const of = (changes = {}) => transformersTeacherFingerprint(config(changes), dir);
    const base = await of();
    expect(await transformersTeacherFingerprint(config({ model: path.join(dir, "tiny") }), "/")).toBe(base);
    expect(await of({ batch: 7, featureMemory: 1, attention: "eager", device: "cpu" })).toBe(base);
    expect(await of({ prompts: { letters: ["poor", "good"], tie: "bad", reason: "Why?" } })).toBe(base);
    const others = await Promise.all([
      of({ dtype: "float32" }),
      of({ maxSide: 512 }),
      of({ maxTiles: 3 }),
      of({ maxTiles: null }),
      of({ quantize: "4bit" }),
      of({ prompts: {} }),
      of({ model: "org/tiny" }),
      of({ model: "org/tiny", revision: "v2" }),
    ]);
    expect(new Set([base, ...others]).size).toBe(9);
  });

  it("has another fingerprint when the weights or the chat template change", async () => {
    const copy = path.join(dir, "copy");
    const { cp, readFile, writeFile } = await import("node:fs/promises");
    await cp(path.join(dir, "tiny"), copy, { recursive: true });
    const of = () => transformersTeacherFingerprint(config({ model: "copy" }), dir);
    const first = await of();
    const weights = path.join(copy, "model.safetensors");
    const bytes = await readFile(weights);
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(weights, bytes);
    const second = await of();
    await writeFile(path.join(copy, "chat_template.jinja"), "{{ 'other' }}");
    expect(new Set([first, second, await of()]).size).toBe(3);
  });
});
