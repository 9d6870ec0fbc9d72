import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { FailureSummary } from "../../protocol/failures.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { checkOutputs, type OutputRules, withOutput, writeOutput } from "../base/outputs.ts";
import { redact } from "../base/redact.ts";
import type { Project } from "../config/project.ts";
import { openCatalog } from "../dataset/catalog.ts";
import { tellFailures } from "../failures/words.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { openLabels } from "../labels/labels.ts";
import { withPlan } from "../pipeline/plan/plan.ts";
import { outputRules } from "../pipeline/projectInputs.ts";
import { listRuns } from "../pipeline/runs.ts";
import { isFinished, type StageOptions } from "../pipeline/stage.ts";
import { resolveInterpreter } from "../python/environment.ts";
import { chosenStudent, scorePaths, scoreTable } from "../scoring/score.ts";
import { readStudentFiles } from "../student/file.ts";
import { isRemote, type RemoteStudent, remoteStudent } from "../student/remote/address.ts";
import { manifestName, manifestText, sha256, studentNames } from "../student/remote/manifest.ts";
import { manifestOf, publishStudent } from "../student/remote/remote.ts";
import { toCsv } from "../tables/csvText.ts";
import { ratingWords } from "../teachers/judgement.ts";
import { imagesForInt8, writeInt8Student } from "./int8.ts";
import { labelStudioInterface, labelStudioTasks } from "./labelStudio.ts";
import { modelCard } from "./modelCard.ts";

export const exportKinds = ["labels", "scores", "student", "tasks"] as const;
export type ExportKind = (typeof exportKinds)[number];

export interface Exported {
  files: string[];
  /** Which student was exported, or scored. */
  student?: { run: string | null; config: string | null; stage: string };
  /** Of a student: what `--student URL#sha256=…` pins it by. */
  sha256?: string;
  /** Images without a score; absent where nothing failed. */
  failures?: FailureSummary;
}

export interface ExportOptions extends StageOptions {
  /** Over files that LEAF did not write. */
  force?: boolean;
  /** The student in 8-bit integers. */
  int8?: boolean;
  /** What stands before an image's path in tasks. */
  prefix?: string;
  /** What to do about such a file, in the words of who asks. */
  remedy?: Text;
}

/**
 * Writes labels (points.csv and pairs.csv, as many as there are), scores (CSV), the newest student (a folder) or tasks for Label Studio for use elsewhere. Throws a LeafError
 * `usage` before the work begins where a file of these names may not be written over.
 */
export async function exportTo(
  project: Project,
  kind: ExportKind,
  out: string | undefined,
  options: ExportOptions,
): Promise<Exported> {
  const rules = await outputRules(project, options);
  switch (kind) {
    case "labels":
      return exportLabels(project, out ?? "labels", rules, options);
    case "scores":
      return exportScores(project, out ?? "scores.csv", rules, options);
    case "student":
      return exportStudent(project, out ?? "student", rules, options);
    case "tasks":
      return exportTasks(project, out ?? "tasks.json", rules, options);
  }
}

async function exportLabels(
  project: Project,
  dir: string,
  rules: OutputRules,
  options: StageOptions,
): Promise<{ files: string[] }> {
  const files = [path.join(dir, "points.csv"), path.join(dir, "pairs.csv")] as const;
  await checkOutputs(files, rules);
  const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
  try {
    const { teacher, finished } = await withPlan(project, catalog, async (plan) => {
      const { key, teacher } = await plan.label();
      return { teacher, finished: isFinished(project, "label", key) };
    });
    const notLabelled = new LeafError("failed", say`The images are not labelled yet.`, {
      remedy: say`Run \`leaf label\` first.`,
    });
    if (!finished && !existsSync(project.labelsFile)) throw notLabelled;
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      const nameOf = new Map(catalog.hashes.map((hash) => [hash, catalog.relativePathOf(hash)]));
      const points = [...store.points(teacher)].filter((label) => nameOf.has(label.image));
      const pairs = [...store.pairs(teacher)].filter((label) => nameOf.has(label.a) && nameOf.has(label.b));
      if (!finished) {
        if (points.length + pairs.length === 0) throw notLabelled;
        options.onWarning?.(
          say`labelling is not finished: ${points.length} image labels and ${pairs.length} pairs so far`,
        );
      }
      const pointRows = points.map((p) => [
        nameOf.get(p.image)!,
        p.image,
        p.score,
        ...p.probabilities,
        p.mass,
        p.confidence,
      ]);
      await writeOutput(
        files[0],
        toCsv(["image", "hash", "score", ...ratingWords, "mass", "confidence"], pointRows),
        rules,
      );
      const pairRows = pairs.map((p) => [
        nameOf.get(p.a)!,
        nameOf.get(p.b)!,
        p.p,
        p.confidence,
        p.positionBias,
      ]);
      await writeOutput(
        files[1],
        toCsv(["a", "b", "pABetter", "confidence", "positionBias"], pairRows),
        rules,
      );
      return { files: [...files] };
    } finally {
      store.close();
    }
  } finally {
    catalog.close();
  }
}

async function exportScores(
  project: Project,
  file: string,
  rules: OutputRules,
  options: StageOptions,
): Promise<Exported> {
  await checkOutputs([file], rules);
  const { scores, failures, student } = await scoredImages(project, options);
  const table = student.targets ? scoreTable({ scores, student }) : undefined;
  const rows = scores.map(({ image, score }) => [image, score]);
  await writeOutput(file, toCsv(table?.header ?? ["image", "score"], table?.rows ?? rows), rules);
  tellFailures(failures, "export scores", options.onWarning);
  const { run, config, stage } = student;
  return { files: [file], student: { run, config, stage }, ...(failures && { failures }) };
}

/** Every usable image by its path relative to the config, with the score of the newest student. */
async function scoredImages(project: Project, options: StageOptions) {
  const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
  const paths = catalog.hashes.map((hash) => catalog.pathOf(hash));
  catalog.close();
  if (paths.length === 0)
    throw new LeafError("input", say`There is no usable image to score.`, {
      file: project.configFile,
      remedy: say`Check \`images:\` and run \`leaf check\`.`,
    });
  const { failures, student, ...found } = await scorePaths(paths, {
    project,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const scores = found.scores.map((one) => ({
    ...one,
    image: path.relative(project.root, one.image).replaceAll("\\", "/"),
  }));
  return { scores, failures, student };
}

/** Tasks for Label Studio with the student's scores as predictions, and beside them what its labelling interface needs. */
async function exportTasks(
  project: Project,
  file: string,
  rules: OutputRules,
  options: ExportOptions,
): Promise<Exported> {
  const beside = file.replace(/(\.json)?$/i, ".labels.xml");
  await checkOutputs([file, beside], rules);
  const { scores, failures, student } = await scoredImages(project, options);
  const rows = scores.map(({ image, score }) => [image, score] as const);
  const { run, config, stage, scale } = student;
  const version = ["leaf", stage, run].filter(Boolean).join(" ");
  const tasks = labelStudioTasks(rows, { range: scale, version, prefix: options.prefix });
  await writeOutput(file, `${JSON.stringify(tasks, null, 1)}\n`, rules);
  await writeOutput(beside, labelStudioInterface(scale), rules);
  tellFailures(failures, "export tasks", options.onWarning);
  return { files: [file, beside], student: { run, config, stage }, ...(failures && { failures }) };
}

async function exportStudent(
  project: Project,
  dir: string,
  rules: OutputRules,
  options: ExportOptions,
): Promise<Exported> {
  const { folder, run, config } = await chosenStudent(project);
  const away = isRemote(dir) ? remoteStudent(dir) : undefined;
  const files = ["student.onnx", "student.json"].map((name) => path.join(dir, name));
  const about = path.join(dir, "MODEL_CARD.md");
  const sums = path.join(dir, manifestName);
  if (!away) await checkOutputs([...files, about, sums], rules);
  const made = options.int8 ? await mkdtemp(path.join(os.tmpdir(), "leaf-int8-")) : undefined;
  try {
    if (made) await bringToInt8(project, folder, made, options);
    return await (away ? putStudent(made ?? folder, away) : copyStudent(made ?? folder));
  } finally {
    if (made) await rm(made, { recursive: true, force: true });
  }

  async function putStudent(from: string, to: RemoteStudent): Promise<Exported> {
    const { card } = await readStudentFiles(from);
    const sha256 = await publishStudent(from, to, options.signal);
    const put = [...studentNames, manifestName].map((name) => `${to.base}/${name}`);
    return { files: put, student: { run, config, stage: card.stage }, sha256 };
  }

  async function copyStudent(from: string): Promise<Exported> {
    for (const file of files)
      await withOutput(file, rules, (temporary) => copyFile(path.join(from, path.basename(file)), temporary));
    const card = (await readStudentFiles(from)).card;
    const record = (await listRuns(project)).find(({ id }) => id === run);
    await writeOutput(about, redact(modelCard(card, record)), rules);
    const manifest = manifestText(await manifestOf(from));
    await writeOutput(sums, manifest, rules);
    const student = { run, config, stage: card.stage };
    return { files: [...files, about, sums], student, sha256: sha256(manifest) };
  }
}

async function bringToInt8(
  project: Project,
  from: string,
  to: string,
  options: ExportOptions,
): Promise<void> {
  const { signal, onProgress } = options;
  const catalog = await openCatalog(project, { signal, onProgress });
  const images = imagesForInt8(catalog);
  catalog.close();
  await writeInt8Student(from, to, images, {
    interpreter: resolveInterpreter(project.config.python.interpreter, project.root),
    maxPixels: maxPixelsOf(project.config),
    signal,
  });
}
