import { readFile } from "node:fs/promises";
import type { LabelResult } from "../../protocol/results.ts";
import { type Catalog, openCatalog } from "../catalog.ts";
import { LeafError } from "../errors.ts";
import { keyOf } from "../keys.ts";
import { labelDataset, pairsToLabel } from "../labelling.ts";
import { type LabelStore, openLabels } from "../labels.ts";
import type { Project } from "../project.ts";
import { recordStage, runFor } from "../runs.ts";
import { createTeacher, teacherFingerprint } from "../teachers/createTeacher.ts";
import type { Teacher, TeacherImage } from "../teachers/teacher.ts";
import { holdingStage } from "./lock.ts";
import { readResult, type StageOptions, writeResult } from "./stage.ts";

interface Finished extends LabelResult {
  teacher: string;
}

/** What later stages need to know of the labels. */
export interface LabelState {
  key: string;
  teacher: string;
  finished: boolean;
  /** Labels that exist of those wanted: a retry of failed ones makes later stages stale. */
  usable: number;
  /** Grows with every human override. */
  human: number;
}

/** The stage's key needs no label store: who judges which images in which pairs. */
export async function labelState(project: Project, catalog: Catalog): Promise<LabelState> {
  const teacher = await teacherFingerprint(project.config.teacher, project.root);
  const key = labelKey(project, catalog, teacher);
  const finished = await readResult<Finished>(project, "label", key);
  const usable = finished
    ? finished.points.labelled + finished.points.reused + finished.pairs.labelled + finished.pairs.reused
    : 0;
  return { key, teacher, finished: finished !== undefined, usable, human: humanRevision(project) };
}

function labelKey(project: Project, catalog: Catalog, teacher: string): string {
  const { pairsPerImage, pairs, seed } = project.config.label;
  return keyOf({
    teacher,
    images: catalog.digestOf(catalog.hashes),
    pairsPerImage,
    pairs,
    seed,
  });
}

function humanRevision(project: Project): number {
  try {
    const store = openLabels(project.labelsFile, { readOnly: true });
    const { maxPointId, maxPairId } = store.snapshot("human");
    store.close();
    return maxPointId + maxPairId;
  } catch (error) {
    if (error instanceof LeafError) return 0; // No store yet; a damaged one is told by the stage that needs it.
    throw error;
  }
}

/** The pairs that this config asks for, in the order they are asked. */
export function sampledPairs(
  project: Project,
  catalog: Catalog,
  store: LabelStore,
  teacher: string,
): Iterable<[string, string]> {
  const { pairsPerImage, pairs, seed } = project.config.label;
  return pairsToLabel(store, teacher, catalog.hashes, { perImage: pairsPerImage, strategy: pairs, seed });
}

/** Stage 1: the teacher judges every image and the sampled pairs. What the store holds already is not asked again. */
export async function labelStage(project: Project, options: StageOptions = {}): Promise<LabelResult> {
  const catalog = await openCatalog(project, options);
  try {
    if (catalog.hashes.length === 0) {
      throw new LeafError("input", "There is no usable image to label.", {
        file: project.configFile,
        remedy: "Check `images:` and run `leaf check`.",
      });
    }
    const teacher = await createTeacher(project.config.teacher, {
      root: project.root,
      interpreter: project.config.python.interpreter,
      signal: options.signal,
    });
    try {
      const key = labelKey(project, catalog, teacher.fingerprint);
      return await holdingStage(project, "label", key, () =>
        labelAll(project, catalog, teacher, key, options),
      );
    } finally {
      await teacher.close();
    }
  } finally {
    catalog.close();
  }
}

async function labelAll(
  project: Project,
  catalog: Catalog,
  teacher: Teacher,
  key: string,
  options: StageOptions,
): Promise<LabelResult> {
  const started = performance.now();
  const { pairsPerImage, pairs, seed, minConfidence } = project.config.label;
  const store = openLabels(project.labelsFile);
  try {
    const imageOf = (hash: string): TeacherImage => ({
      hash,
      name: catalog.relativePathOf(hash),
      read: () => readFile(catalog.pathOf(hash)),
    });
    function* images(): Generator<TeacherImage> {
      for (const hash of catalog.hashes) yield imageOf(hash);
    }
    const result = await labelDataset({
      store,
      teacher,
      images,
      imageOf,
      pairs: { perImage: pairsPerImage, strategy: pairs, seed },
      minConfidence,
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const finished: Finished = { ...result, teacher: teacher.fingerprint };
    await writeResult(project, "label", key, finished);
    const run = await runFor(project, { label: key });
    await recordStage(project, run, "label", { key, seconds: (performance.now() - started) / 1000, result });
    return result;
  } finally {
    store.close();
  }
}
