import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openProject } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { labelStage } from "../../../src/engine/pipeline/stages/label.ts";
import { dryRunLabels } from "../../../src/engine/pipeline/stages/labelPreview.ts";
import { combinePairs, combinePoints } from "../../../src/engine/teachers/ensemble/combine.ts";
import { weightsFor } from "../../../src/engine/teachers/ensemble/weights.ts";
import type { RatingProbabilities } from "../../../src/engine/teachers/judgement.ts";
import { inEnglish } from "../../../src/words/text.ts";
import { startChatServer } from "../../support/chatServer.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const images = 14;

async function world(teacher: string, mos = false, root = temporaryFolder()) {
  mkdirSync(path.join(root, "photos"), { recursive: true });
  for (let i = 0; i < images; i++)
    writeFileSync(path.join(root, "photos", `${i}.png`), await picture(64, 64, i).png().toBuffer());
  if (mos)
    writeFileSync(
      path.join(root, "mos.csv"),
      `image,mos\n${Array.from({ length: images }, (_, i) => `${i}.png,${1 + (4 * i) / images}`).join("\n")}\n`,
    );
  const config = path.join(root, "leaf.yaml");
  writeFileSync(
    config,
    `images: photos\n${mos ? "mos: { file: mos.csv, range: [1, 5] }\n" : ""}split: { test: 0, val: 0 }
teacher: ${teacher}\nlabel: { pairsPerImage: 2 }\ncalibrate: { ratio: 1 }\n`,
  );
  return openProject(config);
}

async function server() {
  const started = await startChatServer();
  onTestFinished(() => started.close());
  return started;
}

it("each teacher's labels stay its own, what one was asked alone is not asked again, and both become one", async () => {
  const chat = await server();
  const openai = `{ kind: openai, endpoint: "${chat.url}", model: m }`;
  const alone = await world(openai);
  await labelStage(alone, {});
  const before = chat.requests.length;
  const project = await world(
    `{ kind: ensemble, of: [{ kind: embedded }, ${openai}], weights: [1, 3] }`,
    false,
    alone.root,
  );
  const notes: string[] = [];
  const result = await labelStage(project, { onNote: (note) => notes.push(inEnglish(note)) });
  expect(chat.requests.length).toBe(before);
  expect(result.points).toEqual({ labelled: images, reused: 0, failed: 0 });
  expect(result.pairs.failed).toBe(0);
  expect(notes.join("\n")).toMatch(/^m: 0 images and 0 pairs judged, 14 and \d+ reused/m);
  expect(notes).toContain("together: embedded 0.25, m 0.75");
  const store = openLabels(project.labelsFile, { readOnly: true });
  onTestFinished(() => store.close());
  const of = (kind: string) => store.teachers().find((one) => one.kind === kind)!.fingerprint;
  const [own, other, both] = [of("embedded"), of("openai"), of("ensemble")];
  const points = [...store.points(both)];
  expect(points).toHaveLength(images);
  for (const { image, probabilities, confidence } of points) {
    const expected = combinePoints([
      { weight: 1, probabilities: store.point(own, image)!.probabilities as RatingProbabilities },
      { weight: 3, probabilities: store.point(other, image)!.probabilities as RatingProbabilities },
    ]);
    for (const k of [0, 1, 2, 3, 4]) expect(probabilities[k]).toBeCloseTo(expected.probabilities[k]!, 12);
    expect(confidence).toBeCloseTo(expected.confidence, 12);
  }
  for (const { a, b, p, pAB, confidence } of store.pairs(both)) {
    const [x, y] = [store.pair(own, a, b)!, store.pair(other, a, b)!];
    const expected = combinePairs([
      { weight: 1, pAB: x.pAB!, pBA: x.pBA },
      { weight: 3, pAB: y.pAB!, pBA: y.pBA },
    ]);
    expect([pAB, confidence]).toEqual([expected.pAB, expected.confidence]);
    expect(p).toBeGreaterThanOrEqual(0);
  }
  // Everything is there: nobody has to be.
  const again = await labelStage(project, {});
  expect(again.points).toEqual({ labelled: 0, reused: images, failed: 0 });
  expect(chat.requests.length).toBe(before);
});

it("with ratings and twice the same teacher the weights are equal, and inputs of the stage", async () => {
  const project = await world("{ kind: ensemble, of: [{ kind: embedded }, { kind: embedded }] }", true);
  const catalog = await openCatalog(project, {});
  const before = await withPlan(project, catalog, (plan) => plan.label());
  expect(before.judges.ensemble!.weights).toEqual({ all: [0.5, 0.5], without: {} });
  catalog.close();
  const result = await labelStage(project, {});
  expect(result.points.labelled).toBe(images);
  const now = await openCatalog(project, {});
  onTestFinished(() => now.close());
  const label = await withPlan(project, now, (plan) => plan.label());
  // Twice the same teacher: equal, whatever the ratings say.
  for (const hash of now.hashes)
    expect(weightsFor(label.judges.ensemble!.weights, [hash]).map((w) => w.toFixed(6))).toEqual([
      "0.500000",
      "0.500000",
    ]);
  expect(label.inputs).toMatchObject({ weights: [0.5, 0.5] });
});

it("what one teacher fails with is told at its line, and a dry run asks the one that is named", async () => {
  const chat = await server();
  const gone = `{ kind: openai, endpoint: "http://127.0.0.1:9/v1", model: gone, patience: 0 }`;
  const project = await world(
    `\n  kind: ensemble\n  of:\n    - { kind: embedded }\n    - ${gone}\n    - { kind: openai, endpoint: "${chat.url}", model: m }`,
  );
  const text = readFileSync(project.configFile, "utf8").split("\n");
  await expect(labelStage(project, {})).rejects.toMatchObject({
    file: project.configFile,
    line: text.findIndex((line) => line.includes("model: gone")) + 1,
  });
  expect((await dryRunLabels(project, 1, { member: 3 })).questions).toHaveLength(1);
  await expect(dryRunLabels(project, 1, { member: 2 })).rejects.toThrow();
  await expect(dryRunLabels(project, 1, { member: 4 })).rejects.toMatchObject({ code: "usage" });
});
