import { copyFile, mkdir } from "node:fs/promises";
import path from "node:path";
import type { FailureSummary } from "../protocol/failures.ts";
import type { StudentCard } from "../protocol/student.ts";
import { redact } from "./base/redact.ts";
import { openCatalog } from "./catalog.ts";
import { toCsv } from "./csv.ts";
import { LeafError } from "./errors.ts";
import { tellFailures } from "./failures/words.ts";
import { readJson, withFileErrors, writeFileAtomic } from "./files.ts";
import { ratingWords } from "./judgement.ts";
import { openLabels } from "./labels.ts";
import type { Project } from "./project.ts";
import { modelCard } from "./report/modelCard.ts";
import { listRuns } from "./runs.ts";
import { newestStudent, scorePaths } from "./score.ts";
import { labelState } from "./stages/label.ts";
import type { StageOptions } from "./stages/stage.ts";

export const exportKinds = ["labels", "scores", "student"] as const;
export type ExportKind = (typeof exportKinds)[number];

export interface Exported {
  files: string[];
  /** Images without a score; absent where nothing failed. */
  failures?: FailureSummary;
}

/** Writes labels (points.csv and pairs.csv), scores (CSV) or the newest student (a folder) for use elsewhere. */
export async function exportTo(
  project: Project,
  kind: ExportKind,
  out: string | undefined,
  options: StageOptions,
): Promise<Exported> {
  switch (kind) {
    case "labels":
      return exportLabels(project, out ?? "labels", options);
    case "scores":
      return exportScores(project, out ?? "scores.csv", options);
    case "student":
      return exportStudent(project, out ?? "student");
  }
}

async function exportLabels(
  project: Project,
  dir: string,
  options: StageOptions,
): Promise<{ files: string[] }> {
  const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
  try {
    const { teacher, finished } = await labelState(project, catalog);
    if (!finished)
      throw new LeafError("failed", "The images are not labelled yet.", {
        remedy: "Run `leaf label` first.",
      });
    const store = openLabels(project.labelsFile, { readOnly: true });
    try {
      const nameOf = new Map(catalog.hashes.map((hash) => [hash, catalog.relativePathOf(hash)]));
      const points = [...store.points(teacher)].filter((label) => nameOf.has(label.image));
      const pairs = [...store.pairs(teacher)].filter((label) => nameOf.has(label.a) && nameOf.has(label.b));
      const files = [path.join(dir, "points.csv"), path.join(dir, "pairs.csv")] as const;
      const pointRows = points.map((p) => [
        nameOf.get(p.image)!,
        p.image,
        p.score,
        ...p.probabilities,
        p.mass,
        p.confidence,
      ]);
      await writeFileAtomic(
        files[0],
        toCsv(["image", "hash", "score", ...ratingWords, "mass", "confidence"], pointRows),
      );
      const pairRows = pairs.map((p) => [
        nameOf.get(p.a)!,
        nameOf.get(p.b)!,
        p.p,
        p.confidence,
        p.positionBias,
      ]);
      await writeFileAtomic(files[1], toCsv(["a", "b", "pABetter", "confidence", "positionBias"], pairRows));
      return { files: [...files] };
    } finally {
      store.close();
    }
  } finally {
    catalog.close();
  }
}

async function exportScores(project: Project, file: string, options: StageOptions): Promise<Exported> {
  const catalog = await openCatalog(project, { signal: options.signal, onProgress: options.onProgress });
  const paths = catalog.hashes.map((hash) => catalog.pathOf(hash));
  catalog.close();
  if (paths.length === 0)
    throw new LeafError("input", "There is no usable image to score.", {
      file: project.configFile,
      remedy: "Check `images:` and run `leaf check`.",
    });
  const { scores, failures } = await scorePaths(paths, {
    project,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const rows = scores.map(
    ({ image, score }) => [path.relative(project.root, image).replaceAll("\\", "/"), score] as const,
  );
  await writeFileAtomic(file, toCsv(["image", "score"], rows));
  tellFailures(failures, "export scores", options.onWarning);
  return { files: [file], ...(failures && { failures }) };
}

async function exportStudent(project: Project, dir: string): Promise<{ files: string[] }> {
  const from = await newestStudent(project);
  const files = ["student.onnx", "student.json"].map((name) => path.join(dir, name));
  await withFileErrors("write", dir, async () => {
    await mkdir(dir, { recursive: true });
    for (const file of files) await copyFile(path.join(from, path.basename(file)), file);
  });
  const card = (await readJson<StudentCard>(path.join(from, "student.json")))!;
  const made = (await listRuns(project)).findLast(
    (run) => run.stages[card.stage]?.key === card.provenance.stageKey,
  );
  const about = path.join(dir, "MODEL_CARD.md");
  await writeFileAtomic(about, redact(modelCard(card, made)));
  return { files: [...files, about] };
}
