import { stat } from "node:fs/promises";
import path from "node:path";
import fastGlob from "fast-glob";
import type { FailureSummary } from "../../protocol/failures.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { failuresDir, nameIn, type Project } from "../config/project.ts";
import type { Place } from "../dataset/dataset.ts";
import { findImages } from "../dataset/index/find.ts";
import { failuresIn } from "../failures/list.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { findCurrentStudent } from "../pipeline/currentStudent.ts";
import { isRemote } from "../student/remote/address.ts";
import { fetchedStudent } from "../student/remote/remote.ts";
import { openStudent, scoreImages } from "../student/student.ts";
import { reported, type Score } from "./reported.ts";

export interface ScoreResult {
  student: ChosenStudent & {
    stage: string;
    fingerprint: string;
    scale: [number, number];
    /** Where there are several: each with its scale, the main one first. */
    targets?: { name: string; scale: [number, number] }[];
  };
  scores: ({ image: string } & Score)[];
  /** How many images are unlike those the student was distilled on; null where it cannot tell. */
  far: number | null;
  failed: { image: string; reason: string }[];
  /** The same in short; absent where nothing failed. */
  failures?: FailureSummary;
  /** What is worth telling of files that are scored all the same. */
  notes: { image: string; note: string }[];
}

export interface ScoreOptions {
  /** Whose student scores, unless `student` names a folder. */
  project?: Project;
  student?: string;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
}

/** The student that scores: an exported one that is named by its folder or URL, else the config's own. */
export interface ChosenStudent {
  folder: string;
  /** The run it is of, and that run's config; null for one that is named. */
  run: string | null;
  config: string | null;
}

/** Throws LeafError `failed` where the config has no student yet: one of another config beside it is none of its own. */
export async function chosenStudent(
  project: Project | undefined,
  named?: string,
  signal?: AbortSignal,
): Promise<ChosenStudent> {
  if (named !== undefined && isRemote(named))
    return { folder: await fetchedStudent(named, signal), run: null, config: null };
  if (named !== undefined) return { folder: named, run: null, config: null };
  if (!project) throw new RangeError("Neither a student nor a project is named.");
  const student = await findCurrentStudent(project);
  const config = path.basename(project.configFile);
  if (student) return { folder: student.dir, run: student.run.id, config };
  throw new LeafError("failed", say`${config} has no student yet.`, {
    file: project.configFile,
    remedy: say`Run \`leaf run\` first, or name an exported one with --student.`,
  });
}

/**
 * Scores images, folders and globs with a student. Folders are read to any depth; a path that is no image is named in
 * `failed`. Scores are on the MOS scale once calibrated, else on 1..5. Throws LeafError `failed` where no image has a score.
 */
export async function scorePaths(paths: string[], options: ScoreOptions): Promise<ScoreResult> {
  const chosen = await chosenStudent(options.project, options.student, options.signal);
  const gpu = options.project?.config.python.device !== "cpu";
  const student = await openStudent(path.resolve(chosen.folder), { gpu });
  const result: ScoreResult = {
    student: {
      ...chosen,
      stage: student.card.stage,
      fingerprint: student.fingerprint,
      scale: student.card.mosScale?.range ?? [1, 5],
      ...(student.card.targets && {
        targets: student.card.targets.map(({ name, mosScale }) => ({ name, scale: mosScale.range })),
      }),
    },
    scores: [],
    far: student.card.domain ? 0 : null,
    failed: [],
    notes: [],
  };
  const list = failuresIn(options.project ? failuresDir(options.project, "score") : null);
  const fail = (image: string, reason: string) => {
    result.failed.push({ image, reason });
    // An absolute path comes from the index.
    const { project } = options;
    const file = project && path.isAbsolute(image) ? nameIn(project, image) : image;
    list.add({ kind: "score", file, reason });
  };
  /** Links that are followed, or whose images are found elsewhere, are no failures. */
  const onPlace = ({ path: image, kind, reason }: Place) => {
    if (kind === "unreadable" || kind === "name") fail(image, reason);
  };
  try {
    const { signal } = options;
    const maxPixels = maxPixelsOf(options.project?.config);
    for await (const scored of scoreImages(student, findPaths(paths, onPlace), { signal, maxPixels })) {
      const image = scored.item.path;
      if ("note" in scored && scored.note) result.notes.push({ image, note: scored.note });
      if ("reason" in scored) fail(image, scored.reason);
      else {
        const score = reported(student.card, scored);
        if (score.far) result.far = (result.far ?? 0) + 1;
        result.scores.push({ image, ...score });
      }
      options.onProgress?.({
        stage: "score",
        step: "images",
        done: result.scores.length + result.failed.length,
        unit: "images",
      });
    }
  } finally {
    await student.close();
  }
  const failures = await list.finish();
  if (failures && result.scores.length === 0) {
    const message =
      failures.total === 1
        ? say`The image could not be scored.`
        : say`None of the ${failures.total} images could be scored.`;
    throw new LeafError("failed", message, { failures, result });
  }
  return failures ? { ...result, failures } : result;
}

/** The scores as a table: `image,score`, `sd` where there are error bars, and the same of each target beside the main one. */
export function scoreTable({ scores, student }: Pick<ScoreResult, "scores" | "student">) {
  const names = (student.targets ?? []).slice(1).map(({ name }) => name);
  const bars = scores.some((one) => one.sd !== undefined);
  const columns = ["", ...names.map((name) => `_${name}`)].flatMap((suffix) =>
    bars ? [`score${suffix}`, `sd${suffix}`] : [`score${suffix}`],
  );
  const rows = scores.map((one) => [
    one.image,
    ...[one, ...names.map((name) => one.targets?.[name])].flatMap((said) =>
      bars ? [said?.score ?? null, said?.sd ?? null] : [said?.score ?? null],
    ),
  ]);
  return { header: ["image", ...columns], rows };
}

/** Filed under no hash: what is scored is what lies there. */
export async function* findPaths(
  paths: string[],
  onPlace: (place: Place) => void,
): AsyncGenerator<{ path: string; hash: null }> {
  for (const given of paths) {
    const info = await stat(given).catch(() => undefined);
    if (info?.isFile()) {
      yield { path: given, hash: null };
      continue;
    }
    const isFolder = info?.isDirectory() ?? false;
    const [root, images] = isFolder ? [given, "."] : [process.cwd(), given.replaceAll("\\", "/")];
    const exists = isFolder || fastGlob.isDynamicPattern(images);
    const nameOf = (found: string) => (isFolder ? path.join(given, found) : found);
    let found = 0;
    if (exists) {
      const tell = (place: Place) => {
        found++;
        onPlace({ ...place, path: nameOf(place.path) });
      };
      for await (const name of findImages(path.resolve(root), images, { onPlace: tell })) {
        found++;
        yield { path: path.isAbsolute(given) && !isFolder ? path.resolve(name) : nameOf(name), hash: null };
      }
    }
    if (found === 0) {
      throw new LeafError(
        "usage",
        isFolder ? say`There is no image in ${given}.` : say`${given} does not exist.`,
        {
          remedy: say`Name images, folders or globs.`,
        },
      );
    }
  }
}
