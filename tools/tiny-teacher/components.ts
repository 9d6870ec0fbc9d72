// What points, pairs and their confidence each bring, with a teacher whose preferences are no function of its scores.
// usage: nice node tools/tiny-teacher/components.ts [--crops N] [--draws N] [--folder DIR]
// llama.cpp serves the tiny teacher, and `leaf label` asks it about photos that it has not seen. Students are linear heads on the frozen
// network's features, trained by LEAF's own losses (components.py), in place of whole networks: seconds instead of hours on a CPU.
// For whole networks: `leaf experiment run components` in the folder. Needs the built `dist/` and LEAF_PYTHON with xllamacpp.
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runLeaf } from "../../demo/leafCommand.ts";
import { openProject } from "../../src/engine/config/project.ts";
import { openCatalog } from "../../src/engine/dataset/catalog.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { ownPairs, ownPoints } from "../../src/engine/labels/teacherAnswers.ts";
import { withPlan } from "../../src/engine/pipeline/plan/plan.ts";
import { backboneStudent } from "../../src/engine/pipeline/stages/backbone.ts";
import { studentTable } from "../../src/engine/selection/studentTable.ts";
import { configText, makeProject, minConfidence } from "./project.ts";
import { python, serveTinyTeacher } from "./server.ts";

const { values } = parseArgs({
  options: {
    crops: { type: "string", default: "6" },
    draws: { type: "string", default: "10" },
    folder: { type: "string" },
  },
});
// A folder that is named is kept, and what was done in it is not done again.
const folder = path.resolve(values.folder ?? (await mkdtemp(path.join(tmpdir(), "leaf-components-"))));
const { signal } = new AbortController();
await mkdir(folder, { recursive: true });
try {
  await makeProject(folder, Number(values.crops));
  const server = await serveTinyTeacher();
  try {
    await writeFile(path.join(folder, "leaf.yaml"), configText(server.endpoint, 12));
    await runLeaf(["label"], folder, signal);
  } finally {
    await server.stop();
  }
  const job = path.join(folder, "components.json");
  await writeFile(job, JSON.stringify(await described()));
  execFileSync(python, [path.join(import.meta.dirname, "components.py"), job], {
    stdio: "inherit",
    env: {
      ...process.env,
      PYTHONPATH: path.join(import.meta.dirname, "..", "..", "src", "python"),
      OMP_NUM_THREADS: "1",
    },
  });
} finally {
  if (values.folder === undefined) await rm(folder, { recursive: true, force: true });
}

/** Features, truth, points and pairs, by image. */
async function described() {
  const project = await openProject(path.join(folder, "leaf.yaml"));
  const catalog = await openCatalog(project);
  try {
    const { teacher, temperature } = await withPlan(project, catalog, async (plan) => ({
      teacher: await plan.teacher(),
      temperature: await plan.temperature(),
    }));
    const { hashes } = catalog;
    const at = new Map(hashes.map((hash, i) => [hash, i]));
    const { dir, key } = await backboneStudent(project, {});
    const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
    const table = await studentTable(project, `backbone-${key}`, dir, items, { levels: true });
    if (table.hashes.length !== hashes.length) throw new Error("Some images cannot be decoded.");
    const features = path.join(folder, "components.f32");
    await writeFile(features, new Uint8Array(Float32Array.from(table.features).buffer));
    const store = openLabels(project.labelsFile, { readOnly: true });
    const points = new Map([...ownPoints(store, teacher, hashes)].map((one) => [one.image, one.score]));
    const pairs = [...ownPairs(store, teacher, new Set(hashes))].map((one) => [
      at.get(one.a)!,
      at.get(one.b)!,
      one.p,
      one.confidence,
    ]);
    store.close();
    return {
      draws: Number(values.draws),
      features,
      temperature,
      minConfidence,
      photo: hashes.map((hash) => path.basename(catalog.relativePathOf(hash)).split("_")[0]),
      truth: hashes.map((hash) => catalog.mos.get(hash)!),
      test: hashes.map((hash) => catalog.splitOf(hash) === "test"),
      points: hashes.map((hash) => points.get(hash) ?? null),
      pairs,
    };
  } finally {
    catalog.close();
  }
}
