import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { ItemFailure } from "../../../protocol/failures.ts";
import type { HeadDone, NetworkName } from "../../../protocol/head.ts";
import type { StudentCard } from "../../../protocol/student.ts";
import { figure } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { writeFileAtomic } from "../../base/files.ts";
import { failuresIn } from "../../failures/list.ts";
import { tellFailures } from "../../failures/words.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import type { StudentTable } from "../../selection/featureStore.ts";
import { studentTable } from "../../selection/studentTable.ts";
import { readStudentFiles } from "../../student/file.ts";
import { openStudent, scoreImages } from "../../student/student.ts";
import { csvLine } from "../../tables/csvText.ts";
import type { CalibratePlan, Plan, TargetRows } from "../plan/types.ts";
import { type StageOptions, stageDir } from "../stage.ts";
import { fitHead } from "../trainer.ts";
import { backboneStudent } from "./backbone.ts";

export interface ClosedForm {
  done: HeadDone;
  /** Card of the network whose features, distance and layout the student has. */
  card: StudentCard;
  /** Ratings that were used. */
  images: number;
  /** The images of the fit, in the order of its predictions. */
  hashes: string[];
  /** The targets beside the main one that have a head. */
  targets: readonly TargetRows[];
}

interface Network {
  name: NetworkName;
  dir: string;
  card: StudentCard;
  table: StudentTable;
}

const mostDifference = 1e-3;
const checked = 8;

/**
 * Fits the closed form to the chosen ratings and writes `student.onnx`. Features are the student's own (the engine's scorer made
 * them, so the pixels are those of scoring), and stay in the cache. `foldOf` says in which fold of a cross-validation a rating is.
 */
export async function fitClosedForm(
  plan: Plan,
  calibrate: CalibratePlan,
  dir: string,
  options: StageOptions,
  foldOf: (hash: string) => number | null = () => null,
): Promise<ClosedForm> {
  const { project, catalog } = plan;
  const { python } = project.config;
  const rated = calibrate.rows.filter((row) => row.split === "train");
  const targets = new Map(rated.map(({ hash, target }) => [hash, target!]));
  const weights = new Map(rated.map(({ hash, weight = 1 }) => [hash, weight]));
  const beside = calibrate.targets.map(({ rows }) => rows.filter((row) => row.split === "train"));
  const others = beside.flatMap((rows) => rows.map(({ hash }) => hash));
  const said = new Map(calibrate.taught.map(({ hash, score }) => [hash, score]));
  const hashes = [...new Set([...targets.keys(), ...others, ...calibrate.reference, ...said.keys()])];
  const list = failuresIn(dir);
  const networks = await networksOf(plan, calibrate, hashes, options, (failure) => list.add(failure));
  const failures = await list.finish();
  tellFailures(failures, "calibrate", options.onWarning);
  // An image that one of them cannot read is left out of both.
  const seen = networks.map(({ table }) => new Map(table.hashes.map((hash, i) => [hash, i])));
  const kept = hashes.filter((hash) => seen.every((at) => at.has(hash)));
  const images = kept.filter((hash) => targets.has(hash)).length;
  if (images < 2) {
    throw new LeafError(
      "input",
      say`${targets.size - images} of the ${targets.size} images to learn from cannot be decoded: too few are left to train.`,
      { failures, remedy: say`Run \`leaf check\`, and repair or exclude these files.` },
    );
  }
  const features = networks.map(({ name }) => path.join(dir, `features-${name}.f32`));
  const rows = path.join(dir, "rows.csv");
  try {
    for (const [i, { table }] of networks.entries())
      await writeFile(
        features[i]!,
        joined(
          table,
          kept.map((hash) => seen[i]!.get(hash)!),
        ),
      );
    const rowsOf = (
      scores: ReadonlyMap<string, number | null>,
      weightOf: (hash: string) => number | undefined,
      fold: typeof foldOf,
    ) => {
      let text = csvLine(["target", "weight", "group", "fold"]);
      for (const hash of kept) {
        const target = scores.get(hash);
        text += csvLine([
          target ?? null,
          weightOf(hash) ?? 1,
          catalog.groupOf(hash),
          target === undefined ? null : fold(hash),
        ]);
      }
      return text;
    };
    await writeFileAtomic(
      rows,
      rowsOf(targets, (hash) => weights.get(hash), foldOf),
    );
    const teacher = path.join(dir, "teacher.csv");
    if (said.size > 0)
      await writeFileAtomic(
        teacher,
        rowsOf(
          said,
          () => 1,
          () => null,
        ),
      );
    const heads: { name: string; rows: string; target: TargetRows }[] = [];
    for (const [i, own] of beside.entries()) {
      const scores = new Map(own.map(({ hash, target }) => [hash, target]));
      const target = calibrate.targets[i]!;
      if (kept.filter((hash) => scores.has(hash)).length < 2) continue;
      const file = path.join(dir, `rows-${i + 1}.csv`);
      await writeFileAtomic(
        file,
        rowsOf(
          scores,
          () => 1,
          () => null,
        ),
      );
      heads.push({ name: target.name, rows: file, target });
    }
    const done = await fitHead({
      interpreter: resolveInterpreter(python.interpreter, project.root),
      signal: options.signal,
      job: {
        v: 1,
        kind: "fit",
        out: dir,
        threads: python.threads ?? options.threads ?? null,
        networks: networks.map(({ name, dir: student, card }, i) => ({
          name,
          onnx: path.join(student, "student.onnx"),
          features: features[i]!,
          levels: card.levels!,
          scored: name === "distilled",
          ...besideOf(card),
        })),
        rows,
        ...(said.size > 0 && { teacher }),
        ...(heads.length > 0 && { targets: heads.map((head) => ({ name: head.name, rows: head.rows })) }),
      },
    });
    const { card } = networks.find(({ name }) => name === done.facts.networks[0])!;
    return { done, card, images, hashes: kept, targets: heads.map(({ target }) => target) };
  } finally {
    for (const file of features) await rm(file, { force: true });
  }
}

/**
 * The largest difference between the student in `dir` and the fit on some of the pictures. Throws LeafError `failed` above 0.001:
 * then the file does not compute what was fitted.
 */
export async function checkClosedForm(
  { catalog, project }: Plan,
  dir: string,
  hashes: readonly string[],
  { predictions, targets = [] }: Pick<HeadDone, "predictions" | "targets">,
): Promise<number> {
  const told = await scoresIn(predictions);
  const beside = await Promise.all(
    targets.map(async (one) => ({ name: one.name, told: await scoresIn(one.predictions) })),
  );
  const items = hashes.slice(0, checked).map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  const student = await openStudent(dir, { threads: project.config.python.threads ?? undefined });
  let [largest, at] = [0, 0];
  try {
    for await (const one of scoreImages(student, items)) {
      if ("score" in one) {
        largest = Math.max(largest, Math.abs(one.score - told[at]!));
        for (const { name, told: own } of beside)
          largest = Math.max(largest, Math.abs((one.beside?.[name]?.score ?? Number.NaN) - own[at]!));
      }
      at++;
    }
  } finally {
    await student.close();
  }
  if (largest <= mostDifference) return largest;
  throw new LeafError(
    "failed",
    say`The exported student's scores are ${figure(largest, 4)} off the fitted ones on real pictures.`,
    {
      remedy: say`Please report this; \`calibrate.method: fine-tune\` avoids this.`,
    },
  );
}

/** The first column of `score,sd`. */
async function scoresIn(file: string): Promise<number[]> {
  const lines = (await readFile(file, "utf8")).trim().split("\n").slice(1);
  return lines.map((line) => Number(line.split(",")[0]));
}

async function networksOf(
  plan: Plan,
  calibrate: CalibratePlan,
  hashes: readonly string[],
  options: StageOptions,
  onFailure: (failure: ItemFailure) => void,
): Promise<Network[]> {
  const { project, catalog } = plan;
  const items = hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
  const threads = project.config.python.threads ?? options.threads;
  const found: Network[] = [];
  for (const name of calibrate.networks) {
    const { dir, key } =
      name === "distilled"
        ? { dir: stageDir(project, "distill", calibrate.distilled!), key: `distill-${calibrate.distilled}` }
        : await backboneStudent(project, options).then((one) => ({ ...one, key: `backbone-${one.key}` }));
    const { card } = await readStudentFiles(dir);
    if (!card.levels) {
      throw new LeafError(
        "failed",
        say`The student in ${dir} was made before students had features of several levels.`,
        {
          remedy: say`Remove that folder and run \`leaf distill\` again, or set \`calibrate.method: fine-tune\`.`,
        },
      );
    }
    // Two networks read the same files: the first tells of them.
    const told = found.length === 0 ? { onFailure } : {};
    const table = await studentTable(project, key, dir, items, {
      ...options,
      threads,
      levels: true,
      ...told,
    });
    found.push({ name, dir, card, table });
  }
  return found;
}

/** The targets that a distilled student has learnt beside the main one. */
function besideOf({ targets = [] }: StudentCard): { beside?: string[] } {
  const names = targets.slice(1).map(({ name }) => name);
  return names.length > 0 ? { beside: names } : {};
}

/** Rows of levels and then the scores of each target, as little-endian float32. */
function joined(
  { features, scores, dim, hashes, beside = new Float32Array(0) }: StudentTable,
  rows: readonly number[],
): Uint8Array {
  const further = beside.length / Math.max(1, hashes.length);
  const found = new DataView(new ArrayBuffer(4 * rows.length * (dim + 1 + further)));
  let at = 0;
  const put = (value: number) => {
    found.setFloat32(at, value, true);
    at += 4;
  };
  for (const row of rows) {
    for (let i = 0; i < dim; i++) put(features[row * dim + i]!);
    put(scores[row]!);
    for (let i = 0; i < further; i++) put(beside[row * further + i]!);
  }
  return new Uint8Array(found.buffer);
}
