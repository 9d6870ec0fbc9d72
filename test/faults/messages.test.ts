import { expect, test } from "vitest";
import type { Random } from "../../src/engine/base/random.ts";
import { parseMessage } from "../../src/engine/pipeline/trainer.ts";
import { parseTeacherMessage } from "../../src/engine/teachers/transformers/messages.ts";
import type { ServerMethod } from "../../src/protocol/server.ts";
import { makeWorkspace } from "../integration/workspace.ts";
import { startServer } from "../server/startServer.ts";
import { mutatedText, mutatedValue } from "./support/mutate.ts";
import { pick, temporaryFolder, trials, within } from "./support/trials.ts";

// What comes over a pipe or a socket is input, too: a message, or nothing; a result, or a failure with its kind.

const trainerLines = [
  { v: 1, type: "progress", phase: "train", epoch: 1, epochs: 3, step: 2, steps: 9, imagesPerS: 12.5 },
  {
    v: 1,
    type: "metrics",
    epoch: 1,
    loss: 0.5,
    parts: { point: 0.25 },
    val: { srcc: 0.5, plcc: 0.4, n: 10 },
  },
  { v: 1, type: "error", code: "failed", message: "No.", remedy: null },
];
const teacherLines = [
  { v: 1, type: "need", id: 3, images: ["00"] },
  { v: 1, type: "answer", id: 3, answers: [{ ok: true, masses: [0.1, 0.2, 0.3, 0.2, 0.2] }] },
  { v: 1, type: "error", id: null, code: "environment", message: "No.", remedy: null },
];

const line = (random: Random, lines: readonly unknown[]) => {
  const value = pick(random, lines);
  return random() < 0.5
    ? JSON.stringify(mutatedValue(random, value))
    : mutatedText(random, JSON.stringify(value));
};

test("a damaged line of the trainer or the teacher is a message or nothing", {
  timeout: 3_600_000,
}, async () => {
  await trials("lines", 5000, (random, keep) => {
    const [fromTrainer, fromTeacher] = [line(random, trainerLines), line(random, teacherLines)];
    keep(`${fromTrainer}\n${fromTeacher}`);
    const message = parseMessage(fromTrainer);
    if (message?.type === "progress")
      expect([message.step, message.steps, message.epoch].every(Number.isFinite)).toBe(true);
    if (message?.type === "metrics") expect(typeof message.loss).toBe("number");
    const answer = parseTeacherMessage(fromTeacher);
    if (answer?.type === "answer") expect(Array.isArray(answer.answers)).toBe(true);
  });
});

const methods: Partial<Record<ServerMethod, object>> = {
  "leaf/images": { config: "", query: { sort: "path", from: 0, count: 10 } },
  "leaf/pairs": { config: "", query: { from: 0, count: 10, filter: "all" } },
  "leaf/overrulePair": { config: "", a: "0".repeat(32), b: "1".repeat(32), p: 1 },
  "leaf/runs": { config: "", experiments: true },
  "leaf/runFolder": { config: "", run: "r1" },
  "leaf/pinRun": { config: "", run: "../../x", pinned: true },
  "leaf/runConfig": { config: "", run: "r1" },
  "leaf/curves": { config: "", run: "r1" },
  "leaf/evaluation": { config: "", run: "r1" },
  "leaf/thumbnails": { config: "", hashes: ["0".repeat(32)], size: "small" },
  "leaf/image": { uri: "file:///none.png" },
  "leaf/scores": { uris: ["file:///none.png", "untitled:x"] },
  "leaf/pathsInText": { document: "", lines: [{ line: 0, text: "photos/a.png and b.png" }] },
  "leaf/imageHover": { document: "", text: "photos/a.png", character: 3 },
  "leaf/ratingQueue": { config: "", count: 5 },
  "leaf/ratingRefit": { config: "" },
  "leaf/rate": { config: "", hash: "0".repeat(32), rating: 9 },
  "leaf/experiments": { config: "" },
  "leaf/experiment": { experiment: "file:///none.experiment.yaml" },
  "leaf/stop": { config: "" },
  "leaf/jobEvents": { config: "" },
};

test("the server answers every request, whatever its parameters", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  await makeWorkspace(dir, 4);
  const server = await startServer(dir, () => {});
  const uri = `file://${dir}/leaf.yaml`;
  try {
    await trials("requests", 400, async (random, keep) => {
      const method = pick(random, Object.keys(methods) as (keyof typeof methods)[]);
      const filled = { ...methods[method], ...("config" in methods[method]! ? { config: uri } : {}) };
      const params = random() < 0.8 ? mutatedValue(random, filled) : filled;
      keep(JSON.stringify({ method, params }));
      // A parameter that is no object is refused by the protocol itself.
      if (params === null || typeof params !== "object" || Array.isArray(params)) return;
      const failure = await within(
        60,
        server.connection.sendRequest(method, params).then(
          () => undefined,
          (error) => error,
        ),
      );
      if (failure)
        expect(failure.data?.code, `${method}: ${failure.message}`).toMatch(
          /^(usage|config|input|failed|environment|cancelled)$/,
        );
    });
    expect(await within(30, server.connection.sendRequest("leaf/projects", {}))).toHaveLength(1);
  } finally {
    await server.stop();
  }
});
