import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { teacherSchema } from "../../src/engine/config/teacher.ts";
import { labelDataset } from "../../src/engine/labelling/labelling.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { createTeacher } from "../../src/engine/teachers/createTeacher.ts";
import { usageOf } from "../../src/engine/teachers/openai/tokens.ts";
import type { Teacher, TeacherImage } from "../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../src/words/text.ts";
import {
  freePort,
  type LlamaServer,
  makeTinyModel,
  startLlama,
  whyNoLlama,
} from "../support/llama/server.ts";
import { teacherImages } from "../support/teacherImages.ts";

const why = whyNoLlama();
const folder = mkdtempSync(path.join(tmpdir(), "leaf-llama-"));
const pairs = { perImage: 8, strategy: "mixed", seed: 0 } as const;

describe.skipIf(why !== undefined)(`a real llama.cpp server${why ? ` (${why})` : ""}`, () => {
  let port: number;
  let server: LlamaServer;
  let images: TeacherImage[];
  const notes: string[] = [];

  beforeAll(async () => {
    makeTinyModel(folder);
    port = await freePort();
    server = await startLlama(folder, port);
    images = await teacherImages(300);
  });
  afterAll(async () => {
    await server?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  // The tiny model says these words whatever it is asked.
  const letters = { letters: ["Fair", "Poor"], tie: "Bad" };
  function teacherWith(prompts: Record<string, unknown> = letters): Promise<Teacher> {
    const config = teacherSchema.parse({
      kind: "openai",
      endpoint: `http://127.0.0.1:${port}/v1`,
      model: "tiny-teacher",
      concurrency: 8,
      patience: 60,
      prompts,
    });
    return createTeacher(config, { root: folder, onNote: (note) => notes.push(inEnglish(note)) });
  }

  async function label(store: string, teacher: Teacher, onDone?: (step: string, done: number) => void) {
    const labels = openLabels(path.join(folder, store));
    try {
      const result = await labelDataset({
        store: labels,
        teacher,
        images: () => images,
        pairs,
        minConfidence: 0.1,
        concurrency: teacher.concurrency,
        onProgress: ({ step, done }) => onDone?.(step, done),
      });
      const points = [...labels.points(teacher.fingerprint)];
      const kept = [...labels.pairs(teacher.fingerprint)];
      return { result, points, pairs: kept };
    } finally {
      labels.close();
    }
  }

  /** All next tokens of the vocabulary, straight from the server. */
  async function wholeVocabulary(messages: unknown[]): Promise<{ token: string; p: number }[]> {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        messages,
        max_tokens: 1,
        temperature: 0,
        logprobs: true,
        top_logprobs: 100_000,
        cache_prompt: false,
      }),
    });
    const { choices } = (await answer.json()) as {
      choices: { logprobs: { content: { top_logprobs: { token: string; logprob: number }[] }[] } }[];
    };
    const all = choices[0]!.logprobs.content[0]!.top_logprobs;
    expect(all.length).toBeGreaterThan(300);
    return all.map(({ token, logprob }) => ({ token, p: Math.exp(logprob) }));
  }

  const massOf = (all: { token: string; p: number }[], word: string) =>
    all.reduce((sum, { token, p }) => (token.trim().toLowerCase() === word.toLowerCase() ? sum + p : sum), 0);

  /** Probability of each word, with what follows on its likely beginnings. */
  async function masses(messages: unknown[], words: string[], begun = ""): Promise<number[]> {
    const all = await wholeVocabulary(
      begun ? [...messages, { role: "assistant", content: begun }] : messages,
    );
    const read = ({ token }: { token: string }) => (begun + token).trim().toLowerCase();
    const raw = words.map((word) => all.reduce((sum, one) => (read(one) === word ? sum + one.p : sum), 0));
    for (const one of all) {
      const isBeginning =
        one.token.trim() !== "" && words.some((word) => word.startsWith(read(one)) && word !== read(one));
      if (!isBeginning || one.p < 0.01) continue;
      const after = await masses(messages, words, begun + one.token);
      for (const [i, p] of after.entries()) raw[i]! += one.p * p;
    }
    return raw;
  }

  async function question(parts: { type: string; text?: string; image?: number }[], shown: TeacherImage[]) {
    const content = await Promise.all(
      parts.map(async (part) => {
        if (part.type === "text") return part;
        const png = (await shown[part.image!]!.read()).toString("base64");
        return { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } };
      }),
    );
    return { role: "user", content };
  }

  it("labels 300 images and 1,200 pairs in both orders through two crashes of the server, with the model's own probabilities; a repeat asks nothing", async () => {
    const teacher = await teacherWith();
    expect(teacher.about && inEnglish(teacher.about)).toBe(
      `llama.cpp at http://127.0.0.1:${port}/v1: probabilities of the 500 likeliest tokens, prefill, two images in a question`,
    );
    const crashAt = [
      { step: "points", done: 100 },
      { step: "pairs", done: 400 },
    ];
    const restarts: Promise<void>[] = [];
    const labels = await label("labels.sqlite", teacher, (step, done) => {
      if (crashAt[0]?.step !== step || done < crashAt[0].done) return;
      crashAt.shift();
      restarts.push(
        server.kill().then(async () => {
          await new Promise((resolve) => setTimeout(resolve, 700));
          server = await startLlama(folder, port);
        }),
      );
    });
    await Promise.all(restarts);
    expect(restarts).toHaveLength(2);
    expect(notes.filter((note) => note.includes("does not answer"))).toHaveLength(2);
    expect(notes.filter((note) => note.includes("answers again"))).toHaveLength(2);
    expect(labels.result).toMatchObject({
      images: 300,
      points: { labelled: 300, reused: 0, failed: 0 },
      pairs: { labelled: 1200, reused: 0, failed: 0 },
    });
    expect(labels.points.map(({ image }) => image)).toEqual(images.map(({ hash }) => hash));
    expect(new Set(labels.pairs.map(({ a, b }) => `${a} ${b}`)).size).toBe(1200);

    // Asked alone the numbers are the model's own; two questions that the server computes in one batch round otherwise.
    const [alone, together] = [1e-6, 1e-5];
    const every = <T>(items: T[], step: number) => items.filter((_, i) => i % step === 0);
    for (const { image, probabilities } of every(labels.points, 20)) {
      const shown = images.find(({ hash }) => hash === image)!;
      const [judged] = await teacher.judgePoints([shown]);
      if (!judged!.ok) throw new Error(judged!.reason);
      const { parts } = await teacher.inspect!([shown]);
      const raw = await masses(
        [await question(parts, [shown])],
        ["excellent", "good", "fair", "poor", "bad"],
      );
      const total = raw.reduce((sum, p) => sum + p, 0);
      expect(Math.abs(judged!.mass - total)).toBeLessThan(alone);
      for (const [i, p] of raw.entries()) {
        expect(Math.abs(judged!.probabilities[i]! - p / total)).toBeLessThan(alone);
        expect(Math.abs(probabilities[i]! - p / total)).toBeLessThan(together);
      }
    }
    for (const { a, b, pAB, pBA } of every(labels.pairs, 100)) {
      const [one, two] = [a, b].map((hash) => images.find((image) => image.hash === hash)!);
      const { parts } = await teacher.inspect!([one!, two!]);
      const ask = async (shown: TeacherImage[]) => {
        const [better, worse, tie] = await masses([await question(parts, shown)], ["fair", "poor", "bad"]);
        return (better! + tie! / 2) / (better! + worse! + tie!);
      };
      const [first, second] = [await ask([one!, two!]), 1 - (await ask([two!, one!]))];
      const [judged] = await teacher.judgePairs([[one!, two!]], undefined, "one");
      expect(judged).toMatchObject({ ok: true, pBA: null });
      if (judged!.ok) expect(Math.abs(judged!.pAB - first)).toBeLessThan(alone);
      expect(Math.abs(pAB! - first)).toBeLessThan(together);
      expect(Math.abs(pBA! - second)).toBeLessThan(together);
    }

    const before = teacher.spent!().requests;
    expect((await label("labels.sqlite", teacher)).result).toMatchObject({
      points: { labelled: 0, reused: 300, failed: 0 },
      pairs: { labelled: 0, reused: 1200, failed: 0 },
    });
    expect(teacher.spent!().requests).toBe(before);
    await teacher.close();
  }, 240_000);

  it("looks behind the first token of a word that is not one token", async () => {
    const teacher = await teacherWith({ words: ["Superb", "Good", "Fair", "Poor", "Bad"] });
    const [image] = images;
    const [judged] = await teacher.judgePoints([image!]);
    const { parts } = await teacher.inspect!([image!]);
    await teacher.close();
    const asked = await question(parts, [image!]);
    const all = await wholeVocabulary([asked]);
    const next = await wholeVocabulary([asked, { role: "assistant", content: "Su" }]);
    const begun = all.find(({ token }) => token === "Su")!.p;
    const follows = next.find(({ token }) => token === "perb")!.p;
    const raw = [begun * follows, ...["good", "fair", "poor", "bad"].map((word) => massOf(all, word))];
    const total = raw.reduce((sum, p) => sum + p, 0);
    expect(begun).toBeGreaterThan(0.01);
    expect(judged).toMatchObject({ ok: true });
    if (!judged!.ok) return;
    expect(Math.abs(judged!.mass - total)).toBeLessThan(1e-4);
    for (const [i, p] of judged!.probabilities.entries()) expect(p).toBeCloseTo(raw[i]! / total, 4);
  });

  it("goes on with a begun answer", async () => {
    const prefill = "The quality of the image is";
    const teacher = await teacherWith({ prefill });
    const [image] = images;
    const inspection = await teacher.inspect!([image!]);
    await teacher.close();
    const asked = await question(inspection.parts, [image!]);
    const all = await wholeVocabulary([asked, { role: "assistant", content: prefill }]);
    expect(inspection.prefill).toBe(prefill);
    for (const { token, probability } of inspection.top.slice(0, 5))
      expect(probability).toBeCloseTo(all.find((one) => one.token === token)!.p, 6);
    expect(inspection.answers.map(({ answer }) => answer)).toEqual([
      "excellent",
      "good",
      "fair",
      "poor",
      "bad",
    ]);
  });

  it("gives reasons, and estimates from what a trial took", async () => {
    const teacher = await teacherWith();
    const [image, other] = images;
    const [reason] = await teacher.explain!([image!]);
    expect(reason).toMatchObject({ ok: true, text: expect.stringMatching(/^\S.{2,199}/) });
    const before = teacher.spent!();
    const estimate = await teacher.estimate!({ points: 1, pairs: 1, orders: "both", reasons: 0 }, image!);
    const trial = teacher.spent!();
    await teacher.judgePoints([image!]);
    await teacher.judgePairs([[image!, image!]]);
    const after = teacher.spent!();
    await teacher.close();
    expect(trial.requests - before.requests).toBe(2);
    expect(estimate).toEqual({
      requests: after.requests - trial.requests,
      inputTokens: after.inputTokens - trial.inputTokens,
      outputTokens: 3,
      cost: null,
    });
    expect(other).toBeDefined();
  });

  it("tells what it took from its cache: nothing, as it is asked for the same bits each time", async () => {
    const teacher = await teacherWith();
    await teacher.judgePairs([
      [images[100]!, images[101]!],
      [images[100]!, images[102]!],
    ]);
    const { prefix, inputTokens } = teacher.spent!();
    await teacher.close();
    expect(prefix).toEqual({ cached: 0, of: inputTokens });
  });

  it("would have text and image of a second pair that begins with the same one, if it were let", async () => {
    const ask = async (second: number) => {
      const parts = [
        { type: "image", image: 0 },
        { type: "text", text: " against " },
        { type: "image", image: 1 },
      ];
      const message = await question(parts, [images[110]!, images[second]!]);
      const answer = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ messages: [message], max_tokens: 1, cache_prompt: true }),
      });
      return usageOf(await answer.json())!;
    };
    await ask(111);
    const { input, cached } = await ask(112);
    expect(cached).toBeGreaterThan(input / 4);
    expect(cached).toBeLessThan(input);
  });
});
