import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { seededRandom } from "../../src/engine/base/random.ts";
import { engineOf } from "./source.ts";
import { processSeconds } from "./work.ts";

/** So many different small JPEGs, 1,000 a folder: some bytes after the end change the hash and nothing else. */
export async function manyFiles(folder: string, amount: number): Promise<void> {
  const noise = { type: "gaussian", mean: 128, sigma: 40 } as const;
  const jpeg = await sharp({ create: { width: 96, height: 64, channels: 3, background: "#777", noise } })
    .jpeg()
    .toBuffer();
  for (let i = 0; i < amount; i++) {
    const some = path.join(folder, `folder-${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(some, { recursive: true });
    writeFileSync(path.join(some, `image-${i}.jpg`), Buffer.concat([jpeg, Buffer.from(String(i))]));
  }
}

/**
 * A project whose pipeline is done, without a teacher and without training: labels are drawn at random, and a stage that trains has an
 * empty student. One image in ten has a human score. `leaf` is the command line's entry file; its checkout says where all this stands.
 */
export async function finishedProject(folder: string, leaf: string, amount: number): Promise<void> {
  const { openProject } = await engineOf<typeof import("../../src/engine/config/project.ts")>(
    leaf,
    "config/project.ts",
  );
  const { openCatalog } = await engineOf<typeof import("../../src/engine/dataset/catalog.ts")>(
    leaf,
    "dataset/catalog.ts",
  );
  const { openLabels } = await engineOf<typeof import("../../src/engine/labels/labels.ts")>(
    leaf,
    "labels/labels.ts",
  );
  const { withPlan } = await engineOf<typeof import("../../src/engine/pipeline/plan/plan.ts")>(
    leaf,
    "pipeline/plan/plan.ts",
  );
  const planned = await engineOf<typeof import("../../src/engine/pipeline/plan/label.ts")>(
    leaf,
    "pipeline/plan/label.ts",
  );
  const stages = await engineOf<typeof import("../../src/engine/pipeline/stage.ts")>(
    leaf,
    "pipeline/stage.ts",
  );

  await manyFiles(path.join(folder, "photos"), amount);
  const rated = Array.from({ length: amount / 10 }, (_, i) => `image-${10 * i}.jpg,${(i % 41) / 10 + 1}`);
  writeFileSync(path.join(folder, "mos.csv"), `image,score\n${rated.join("\n")}\n`);
  const config = path.join(folder, "leaf.yaml");
  writeFileSync(
    config,
    `images: photos
teacher: { kind: embedded }
student: { model: atto, input: { resize: 48, crop: 32 } }
mos: { file: mos.csv, image: image, score: score, range: [1, 5] }
label: { minConfidence: 0.1 }
`,
  );
  const project = await openProject(config);
  const random = seededRandom("finished");
  const plan = async <T>(work: Parameters<typeof withPlan<T>>[2]): Promise<T> => {
    const catalog = await openCatalog(project);
    try {
      return await withPlan(project, catalog, work);
    } finally {
      catalog.close();
    }
  };
  await plan(async (now) => {
    const label = await now.label();
    const store = openLabels(project.labelsFile);
    store.registerTeacher({ fingerprint: label.teacher, kind: "embedded", description: {} });
    const images = new Set([...planned.judgedImages(label.needs), ...label.needs.checks.images]);
    store.putPoints(
      label.teacher,
      Array.from(images, (image) => {
        const score = 1 + 4 * random();
        return { image, ok: true, score, probabilities: [0.1, 0.2, 0.4, 0.2, 0.1], mass: 1, confidence: 0.2 };
      }),
    );
    const pairs = [...planned.sampledPairs(project, label, store), ...label.needs.checks.pairs];
    store.putPairs(
      label.teacher,
      pairs.map(([a, b]) => {
        const p = random();
        return { a, b, ok: true, p, pAB: p, pBA: p, positionBias: 0, confidence: Math.abs(2 * p - 1) };
      }),
    );
    store.close();
  });
  const env = { LEAF_HOME: path.join(folder, "home") };
  await processSeconds(process.execPath, [leaf, "label", "--config", config], { env });
  for (const stage of ["distill", "calibrate"] as const)
    await plan(async (now) => {
      const { key, inputs } = await now[stage]();
      const dir = await stages.makeStageDir(project, stage, key);
      for (const name of ["student.onnx", "student.json"]) writeFileSync(path.join(dir, name), "{}");
      await stages.writeResult(project, { stage, key, inputs }, { images: stage === "distill" ? {} : 1 });
    });
  for (const student of ["distill", "calibrate"] as const)
    await plan(async (now) => {
      const { key, inputs, hashes } = await now.evaluate(student);
      await stages.makeStageDir(project, "evaluate", key);
      await stages.writeResult(project, { stage: "evaluate", key, inputs }, { student, n: hashes.length });
    });
}
