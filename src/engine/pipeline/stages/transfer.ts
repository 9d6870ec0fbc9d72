import path from "node:path";
import type { Transfer, TransferCell } from "../../../protocol/results.ts";
import { transferCell } from "../../../protocol/schema/results.ts";
import { say } from "../../../words/text.ts";
import { writeJson } from "../../base/files.ts";
import { readJsonAs } from "../../base/json.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import type { Config } from "../../config/config.ts";
import { nameIn, type Project } from "../../config/project.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { indexDataset, openIndex } from "../../dataset/dataset.ts";
import { readMos } from "../../dataset/readMos.ts";
import { failuresIn } from "../../failures/list.ts";
import { tellFailures } from "../../failures/words.ts";
import { maxPixelsOf } from "../../images/limits.ts";
import { evaluateMetrics } from "../../metrics/agreement.ts";
import { studentToMos } from "../../mos/scale.ts";
import { isFar } from "../../student/outOfDistribution.ts";
import { openStudent, scoreImages } from "../../student/student.ts";
import type { StageOptions } from "../stage.ts";

/** A finished student and its stage's key. */
export interface TransferStudent {
  student: "distill" | "calibrate";
  key: string;
  dir: string;
}

type Dataset = NonNullable<Config["evaluate"]["datasets"]>[number];

interface Rated {
  items: { hash: string; path: string; mos: number }[];
  digest: string;
  seen: number;
}

/**
 * Judges students on the other datasets of `evaluate.datasets`: all their rated images but those this project trained or validated
 * on. Cells are kept in `dir` under a key of the student and of the images with their MOS, so that equal work is done once.
 */
export async function evaluateTransfer(
  project: Project,
  catalog: Catalog,
  students: readonly TransferStudent[],
  dir: string,
  options: StageOptions,
): Promise<Transfer> {
  const datasets = project.config.evaluate.datasets ?? [];
  const rows: Transfer["rows"] = students.map(({ student }) => ({ student, cells: [] }));
  for (const dataset of datasets) {
    const rated = await ratedImages(project, catalog, dataset, options);
    if (rated.items.length < 3)
      options.onWarning?.(
        say`The dataset ${dataset.name} has ${rated.items.length} rated images that were not trained on; at least 3 are needed.`,
      );
    for (const [i, student] of students.entries())
      rows[i]!.cells.push(
        rated.items.length < 3 ? null : await cellOf(project, dataset, rated, student, dir, options),
      );
  }
  return { datasets: datasets.map(({ name }) => name), rows };
}

async function ratedImages(
  project: Project,
  catalog: Catalog,
  { images, mos }: Dataset,
  { signal, onProgress }: StageOptions,
): Promise<Rated> {
  const { root, cache } = project;
  const indexFile = path.join(cache, `index-${keyOf(images).slice(0, 8)}.sqlite`);
  await indexDataset({ root, images, indexFile, maxPixels: maxPixelsOf(project.config), signal, onProgress });
  const index = openIndex(indexFile);
  try {
    const { scores } = await readMos({ ...mos, file: path.resolve(root, mos.file) }, index, { signal });
    const hashes = [...scores.keys()].sort();
    const wasSeen = (hash: string) => catalog.index.byHash(hash) && catalog.splitOf(hash) !== "test";
    const unseen = hashes.filter((hash) => !wasSeen(hash));
    return {
      items: unseen.map((hash) => ({
        hash,
        path: path.join(root, index.byHash(hash)!.path),
        mos: scores.get(hash)!,
      })),
      digest: digestLines(unseen.map((hash) => `${hash} ${scores.get(hash)}`)),
      seen: hashes.length - unseen.length,
    };
  } finally {
    index.close();
  }
}

async function cellOf(
  project: Project,
  { name, mos }: Dataset,
  { items, digest, seen }: Rated,
  { student, key, dir: studentDir }: TransferStudent,
  dir: string,
  options: StageOptions,
): Promise<TransferCell | null> {
  const { bootstrap } = project.config.evaluate;
  const { range, lowerIsBetter } = mos;
  const file = path.join(
    dir,
    "transfer",
    `${keyOf({ student: key, digest, range, lowerIsBetter, bootstrap })}.json`,
  );
  const known = await readJsonAs<TransferCell>(file, transferCell);
  if (known) return { ...known, seen };
  const [predicted, truth]: [number[], number[]] = [[], []];
  let [failed, passing] = [0, 0];
  const list = failuresIn(file.replace(/\.json$/, "-failed"));
  const opened = await openStudent(studentDir);
  let far: number | null = opened.card.domain ? 0 : null;
  try {
    const maxPixels = maxPixelsOf(project.config);
    for await (const scored of scoreImages(opened, items, { signal: options.signal, maxPixels })) {
      if ("reason" in scored) {
        failed++;
        if (!scored.lasting) passing++;
        list.add({ kind: "score", file: nameIn(project, scored.item.path), reason: scored.reason });
      } else {
        predicted.push(studentToMos(scored.score, mos));
        truth.push(scored.item.mos);
        if (isFar(scored.distance)) far = (far ?? 0) + 1;
      }
      options.onProgress?.({
        stage: "evaluate",
        step: `score ${name} (${student})`,
        done: predicted.length + failed,
        total: items.length,
        unit: "images",
      });
    }
  } finally {
    await opened.close();
  }
  tellFailures(await list.finish(), `evaluate on ${name}`, options.onWarning);
  if (predicted.length < 3) return null;
  const { logistic: _, ...metrics } = evaluateMetrics(
    Float64Array.from(predicted),
    Float64Array.from(truth),
    { bootstrap, seed: 0 },
  );
  const cell: TransferCell = { ...metrics, failed, seen, far };
  // Files that changed meanwhile are there again the next time.
  if (passing === 0) await writeJson(file, cell);
  return cell;
}
