import { existsSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DryRun, LabelEstimate } from "../../src/protocol/preview.ts";
import type { LabelResult } from "../../src/protocol/results.ts";
import {
  freePort,
  type LlamaServer,
  makeTinyModel,
  startLlama,
  whyNoLlama,
} from "../support/llama/server.ts";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

const why = whyNoLlama();

describe.skipIf(why !== undefined)(`leaf label by a real server${why ? ` (${why})` : ""}`, () => {
  const { dir, remove } = temporaryFolder();
  let server: LlamaServer;
  const run = <T>(...args: string[]) => leafJson<T>(dir, ...args);

  beforeAll(async () => {
    makeTinyModel(dir);
    const port = await freePort();
    server = await startLlama(dir, port);
    // The tiny model says these words whatever it is asked.
    const prompts = "prompts: { letters: [Fair, Poor], tie: Bad }";
    const price = "price: { input: 1000, output: 0, currency: EUR }";
    await makeWorkspace(
      dir,
      12,
      `teacher: { kind: openai, endpoint: "http://127.0.0.1:${port}/v1", model: tiny-teacher, ${price}, ${prompts} }\n`,
    );
  });
  afterAll(async () => {
    await server?.kill();
    remove();
  });

  it("shows prompt, tokens and label in a dry run, and stores nothing", async () => {
    const { teacher, questions } = await run<DryRun>("label", "--dry-run", "2");
    expect(teacher.about).toMatch(/^llama\.cpp at http:/);
    expect(questions.map(({ images }) => images.length)).toEqual([1, 1, 2, 2]);
    expect(questions[2]!.images).toEqual([...questions[3]!.images].reverse());
    const [point] = questions;
    expect(point!.prompt).toContain("excellent, good, fair, poor, bad");
    expect(point!.answers.map(({ answer }) => answer)).toEqual(["excellent", "good", "fair", "poor", "bad"]);
    const shares = point!.answers.map(({ probability }) => probability / point!.mass);
    const expected = shares.reduce((sum, share, i) => sum + share * (5 - i), 0);
    expect(point!.label!.value).toBeCloseTo(expected, 6);
    expect(existsSync(path.join(dir, ".leaf", "labels.sqlite"))).toBe(false);
    const { stdout } = await leaf(dir, "label", "--dry-run", "1");
    expect(stdout).toContain("top tokens");
  });

  it("estimates requests, tokens and cost, does one half, then the rest", async () => {
    const before = await run<LabelEstimate>("label", "--estimate");
    expect(before.missing).toMatchObject({ points: 12, pairs: 12 });
    expect(before.requests).toBe(12 + 2 * 12);
    expect(before.inputTokens).toBeGreaterThan(60 * 20);
    expect(before.cost).toEqual({ amount: expect.closeTo(before.inputTokens / 1000, 9), currency: "EUR" });

    const half = await run<LabelResult>("label", "--points-only");
    // Of 12 images 6 train and 2 validate; 4 are asked about to be compared with their scores.
    expect(half).toMatchObject({ points: { labelled: 8, failed: 0 }, pairs: { labelled: 0 } });
    expect(half.checks).toMatchObject({ points: { labelled: 4, failed: 0 } });
    const { stages } = await run<{ stages: { state: string }[] }>("status");
    expect(stages[0]!.state).not.toBe("fresh");
    expect((await run<LabelEstimate>("label", "--estimate")).requests).toBe(24);

    const rest = await run<LabelResult>("label");
    expect(rest).toMatchObject({ points: { reused: 8 }, pairs: { labelled: 12, failed: 0 } });
    expect(rest.positionBias!.pairs).toBe(12);
  });

  it("needs no server where nothing is left to ask", async () => {
    await server.kill();
    const again = await run<LabelResult>("label");
    expect(again).toMatchObject({ points: { labelled: 0, reused: 8 }, pairs: { labelled: 0, reused: 12 } });
  });

  it("lists, exports, imports, merges and compares labels", async () => {
    const { teachers } = await run<{ teachers: { fingerprint: string; points: number }[] }>("labels", "list");
    expect(teachers).toMatchObject([{ kind: "openai", points: 12, pairs: 12 }]);
    const out = path.join(dir, "parquet");
    expect(await run("labels", "export", out)).toMatchObject({ points: 12, pairs: 12 });

    const other = path.join(dir, "other.sqlite");
    const merged = await run("labels", "merge", path.join(dir, ".leaf", "labels.sqlite"), "--out", other);
    expect(merged).toMatchObject({ merged: [{ points: 12, pairs: 12 }] });
    expect(await run("labels", "import", out)).toMatchObject({
      points: { added: 0, known: 12 },
      pairs: { added: 0, known: 12 },
    });

    const same = await run("labels", "compare", "tiny-teacher", teachers[0]!.fingerprint.slice(0, 8));
    expect(same).toMatchObject({ points: { n: 12, sameWord: 1 }, pairs: { n: 12, equal: 1 } });
    const { code, stderr } = await leaf(dir, "labels", "compare", "tiny-teacher", "nobody");
    expect(code).toBe(2);
    expect(stderr).toContain("No teacher in the store is called nobody.");
  });
});
