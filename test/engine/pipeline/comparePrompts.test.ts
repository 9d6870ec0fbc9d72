import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { dryRunText } from "../../../src/cli/previewText.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { compareAnswers, dryRunLabels } from "../../../src/engine/pipeline/stages/labelPreview.ts";
import { askedPhotos } from "../../support/askedPhotos.ts";
import { startChatServer } from "../../support/chatServer.ts";

const question = (images: string[], value: number, mass = 1) => ({
  images,
  prompt: "",
  top: [],
  answers: [],
  mass,
  label: mass < 0.5 ? null : { value, confidence: 1 },
});

it("compares two prompts by what both have an answer to", () => {
  const a = [1, 2, 3, 4].map((score) => question([`${score}`], score));
  const b = [2, 3, 4, 1].map((score, i) => question([`${i}`], score, i === 3 ? 0.2 : 0.8));
  const pair = ["x", "y"];
  expect(
    compareAnswers(
      { questions: [...a, question(pair, 0.9), question(pair, 0.9)] },
      { questions: [...b, question(pair, 0.6), question(pair, 0.2)] },
    ),
  ).toEqual({
    images: 3,
    srcc: 1,
    difference: 1,
    questions: 2,
    sameWinner: 0.5,
    mass: [1, (3 * 0.8 + 0.2 + 2) / 6],
  });
});

it("asks the same images in both words, and refuses a file without prompts", async () => {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  const project = await openProject(
    await askedPhotos(`{ kind: openai, endpoint: "${server.url}", model: m }`),
  );
  const { root } = project;
  const prompts = path.join(root, "other.yaml");
  writeFileSync(prompts, 'point: "Is this {domain} pretty? One of: {words}."\n');
  const run = await dryRunLabels(project, 4, { prompts });
  expect(run.questions).toHaveLength(8);
  expect(run.other!.questions.map(({ images }) => images)).toEqual(run.questions.map(({ images }) => images));
  expect([
    run.questions[0]!.prompt.includes("pretty"),
    run.other!.questions[0]!.prompt.includes("pretty"),
  ]).toEqual([false, true]);
  expect(run.other!.teacher.fingerprint).not.toBe(run.teacher.fingerprint);
  expect(run.other!.comparison).toMatchObject({ images: 4, questions: 4 });
  expect(dryRunText(run)).toContain("both prompts");
  writeFileSync(prompts, "pont: x\n");
  await expect(dryRunLabels(project, 1, { prompts })).rejects.toMatchObject({ code: "config" });
});
