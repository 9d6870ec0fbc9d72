/**
 * What `calibrate.refine` is worth: the closed form without and with it on the same draws of ratings, and the mean with the teacher
 * where that also scores the test images.
 *
 *     node bench/refine.ts demo/workspace/leaf.yaml [another/leaf.yaml ...] [--counts 15,50,149] [--draws 10] [--simulate .25,.45,.6]
 *
 * Each config needs a distilled student (`leaf distill`) and human scores. The fit is the trainer's; features are those of
 * `leaf calibrate`, and stay in `.leaf`. All figures are SRCC on test images. `--network pretrained` leaves the distilled student out.
 * `--taught` images whose teacher's scores are learnt; 0: those that the fit sees anyway, as `refine: auto`.
 * `--simulate`: also teachers of such an SRCC, whose errors are half a function of the features and half noise.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { appRoot } from "../src/engine/base/appRoot.ts";
import { openProject } from "../src/engine/config/project.ts";
import { openCatalog } from "../src/engine/dataset/catalog.ts";
import { openLabels } from "../src/engine/labels/labels.ts";
import { ownPoints } from "../src/engine/labels/teacherAnswers.ts";
import { mosToStudent } from "../src/engine/mos/scale.ts";
import { distilledStudent } from "../src/engine/pipeline/select.ts";
import { stageDir } from "../src/engine/pipeline/stage.ts";
import { backboneStudent } from "../src/engine/pipeline/stages/backbone.ts";
import { resolveInterpreter } from "../src/engine/python/environment.ts";
import { studentTable } from "../src/engine/selection/studentTable.ts";
import { readStudentFiles } from "../src/engine/student/file.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    counts: { type: "string", default: "15,50,149" },
    draws: { type: "string", default: "10" },
    simulate: { type: "string", default: "" },
    network: { type: "string", default: "distilled,pretrained" },
    taught: { type: "string", default: "0" },
  },
});
if (positionals.length === 0) throw new Error("Name a leaf.yaml whose student is distilled.");
const out = await mkdtemp(path.join(tmpdir(), "leaf-refine-"));
try {
  const cases = [];
  let interpreter = "";
  for (const file of positionals) {
    const project = await openProject(path.resolve(file));
    interpreter = resolveInterpreter(project.config.python.interpreter, project.root);
    cases.push(await written(project, path.join(out, `${cases.length}`)));
  }
  const job = path.join(out, "job.json");
  const { counts, draws, simulate, taught } = values;
  const numbers = (text: string) => text.split(",").filter(Boolean).map(Number);
  await writeFile(
    job,
    JSON.stringify({
      cases,
      counts: numbers(counts),
      draws: Number(draws),
      simulate: numbers(simulate),
      taught: Number(taught),
    }),
  );
  execFileSync(interpreter, [path.join(import.meta.dirname, "refine", "ridges.py"), job], {
    stdio: "inherit",
    env: {
      ...process.env,
      PYTHONPATH: path.join(appRoot(), "src", "python"),
      OMP_NUM_THREADS: "1",
      OPENBLAS_NUM_THREADS: "1",
    },
  });
} finally {
  await rm(out, { recursive: true, force: true });
}

/** Features, teacher's scores and truth of all rated images as files; returns where they lie. */
async function written(project: Awaited<ReturnType<typeof openProject>>, base: string) {
  const catalog = await openCatalog(project);
  try {
    const distilled = await distilledStudent(project, catalog);
    if (!distilled) throw new Error(`${project.configFile} has no distilled student: run leaf distill.`);
    const hashes = catalog.hashes.filter((hash) => catalog.splitOf(hash) !== "val" && catalog.mos.has(hash));
    const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
    const backbone = await backboneStudent(project, {});
    const networks = [
      {
        name: "distilled",
        dir: stageDir(project, "distill", distilled.key),
        key: `distill-${distilled.key}`,
      },
      { name: "pretrained", dir: backbone.dir, key: `backbone-${backbone.key}` },
    ];
    const described = [];
    for (const { name, dir, key } of networks.filter((one) => values.network.split(",").includes(one.name))) {
      const { card } = await readStudentFiles(dir);
      const table = await studentTable(project, key, dir, items, { levels: true });
      if (table.hashes.some((hash, i) => hash !== hashes[i]))
        throw new Error("Some images cannot be decoded.");
      const features = `${base}-${name}.f32`;
      const joined = new Float32Array(hashes.length * (table.dim + 1));
      for (let i = 0; i < hashes.length; i++) {
        joined.set(table.features.subarray(i * table.dim, (i + 1) * table.dim), i * (table.dim + 1));
        joined[i * (table.dim + 1) + table.dim] = table.scores[i]!;
      }
      await writeFile(features, new Uint8Array(joined.buffer));
      described.push({ name, onnx: dir, features, levels: card.levels, scored: name === "distilled" });
    }
    const store = openLabels(project.labelsFile, { readOnly: true });
    const points = new Map(
      [...ownPoints(store, distilled.teacher, hashes)].map((one) => [one.image, one.score]),
    );
    store.close();
    const rows = hashes.map((hash) => ({
      truth: mosToStudent(catalog.mos.get(hash)!, project.config.mos!),
      teacher: points.get(hash) ?? null,
      test: catalog.splitOf(hash) === "test",
    }));
    return { config: path.basename(project.configFile), networks: described, rows };
  } finally {
    catalog.close();
  }
}
