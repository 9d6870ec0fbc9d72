import path from "node:path";
import type { EvaluateResult, EvaluationFacts, Metrics } from "../../../protocol/results.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { writeFileAtomic, writeJson } from "../../base/files.ts";
import { digestLines, keyOf } from "../../base/keys.ts";
import type { Project } from "../../config/project.ts";
import { type Catalog, openCatalog } from "../../dataset/catalog.ts";
import { failuresIn, readFailures } from "../../failures/list.ts";
import { tellFailures } from "../../failures/words.ts";
import { maxPixelsOf } from "../../images/limits.ts";
import { evaluateMetrics } from "../../metrics/agreement.ts";
import { mosToStudent, studentToMos } from "../../mos/scale.ts";
import { teacherSrcc } from "../../reliability/teacherCheck.ts";
import { openStudent, scoreImages } from "../../student/student.ts";
import { toCsv } from "../../tables/csvText.ts";
import { teacherFingerprint } from "../../teachers/createTeacher.ts";
import { carryOut } from "../carryOut.ts";
import { findSignatures } from "../failureModes.ts";
import { changeRun, recordStage } from "../runs.ts";
import {
  finishedResult,
  isFinished,
  readResult,
  type StageName,
  type StageOptions,
  stageDir,
  writeResult,
} from "../stage.ts";
import { planCalibration } from "./calibrate.ts";
import { distillKey } from "./distill.ts";
import { calibrationError, elsewhereOf, sd } from "./evaluationFacts.ts";
import { labelState } from "./label.ts";
import { evaluateTransfer, type TransferStudent } from "./transfer.ts";

/** Fewer scores have no correlation worth the name. */
const leastRated = 3;

type Evaluated = "distill" | "calibrate";
type Finished = Metrics & {
  split: EvaluateResult["split"];
  student: Evaluated;
  failed: number;
  seconds: number;
  spread?: EvaluationFacts["spread"];
  calibration?: EvaluationFacts["calibration"];
};

export interface EvaluatePlan {
  key: string;
  student: Evaluated;
  studentKey: string;
  keys: Partial<Record<StageName, string>>;
  hashes: string[];
  /** Images that the student was calibrated with. */
  calibration: string[];
}

/** Which student is judged on which images. Throws LeafError `config` where the split holds no rated image. */
export async function planEvaluation(
  project: Project,
  catalog: Catalog,
  student: Evaluated,
): Promise<EvaluatePlan> {
  const { mos, evaluate } = project.config;
  if (!mos) {
    throw new LeafError(
      "config",
      say`${path.basename(project.configFile)} names no human scores to evaluate with.`,
      { file: project.configFile, remedy: say`Add \`mos: { file: …, image: …, score: … }\`.` },
    );
  }
  const hashes = catalog.hashes.filter(
    (hash) => catalog.splitOf(hash) === evaluate.split && catalog.mos.has(hash),
  );
  if (hashes.length < leastRated) {
    throw new LeafError(
      "config",
      say`The ${evaluate.split} split has ${hashes.length} images with a MOS; ${leastRated} are the least.`,
      { file: project.configFile, remedy: say`Raise \`split.test\`, or rate more images.` },
    );
  }
  const keys: EvaluatePlan["keys"] = {};
  let calibration: string[] = [];
  if (student === "distill") {
    const labels = await labelState(project, catalog);
    keys.label = labels.key;
    keys.distill = distillKey(project, catalog, labels);
  } else {
    const plan = await planCalibration(project, catalog);
    Object.assign(keys, { ...plan.keys, calibrate: plan.key });
    calibration = plan.rows.filter((row) => row.split === "train").map((row) => row.hash);
  }
  const studentKey = keys[student]!;
  const truth = digestLines(hashes.map((hash) => `${hash} ${catalog.mos.get(hash)}`));
  const key = keyOf({
    student: studentKey,
    evaluate,
    truth,
    range: mos.range,
    lowerIsBetter: mos.lowerIsBetter,
  });
  return { key, student, studentKey, keys, hashes, calibration };
}

/** Scores the held-out images by ONNX Runtime and compares with their MOS; both on the MOS scale. */
export async function evaluateStage(
  project: Project,
  options: StageOptions = {},
  stage = "calibrate",
  { transfer = true }: { transfer?: boolean } = {},
): Promise<EvaluateResult> {
  if (stage !== "distill" && stage !== "calibrate") {
    throw new LeafError("usage", say`--stage takes distill or calibrate, not ${stage}.`);
  }
  const catalog = await openCatalog(project, options);
  try {
    const plan = await planEvaluation(project, catalog, stage);
    if (!isFinished(project, stage, plan.studentKey)) {
      throw new LeafError(
        "failed",
        stage === "distill"
          ? say`There is no distilled student for this config yet.`
          : say`There is no calibrated student for this config yet.`,
        { remedy: say`Run \`leaf ${stage}\` first, or \`leaf run\` for all stages.` },
      );
    }
    return await carryOut(project, "evaluate", plan.key, {
      keys: plan.keys,
      work: () => scoreAndCompare(project, catalog, plan, options),
      async record(run) {
        const { result, seconds } = await resultOf(run.id);
        if (stage === "calibrate" || !project.config.mos) {
          await recordStage(project, run, "evaluate", { key: plan.key, seconds, result });
        } else if (run.working || run.distilledEvaluation !== plan.key) {
          // The distilled student's own evaluation is a by-look: the run keeps that of its last stage.
          await changeRun(project, run, { state: "done", working: null, distilledEvaluation: plan.key });
        }
        return result;
      },
    });

    async function resultOf(run: string): Promise<{ result: EvaluateResult; seconds: number }> {
      const finished = await finishedResult(project, "evaluate", plan.key);
      const dir = stageDir(project, "evaluate", plan.key);
      const failures = await readFailures(dir);
      const { seconds, spread, calibration: _, ...metrics } = finished;
      const result: EvaluateResult = { run, ...metrics, ...(failures && { failures }) };
      if (transfer && project.config.evaluate.datasets?.length) {
        result.transfer = await evaluateTransfer(project, catalog, studentsOf(project, plan), dir, options);
        await writeJson(path.join(dir, "evaluation.json"), { ...metrics, transfer: result.transfer });
      }
      result.findings = spread
        ? findSignatures({
            ...(await factsOf(project, catalog, plan, { ...finished, spread })),
            elsewhere: elsewhereOf(plan.student, result.transfer),
          })
        : [];
      return { result, seconds };
    }
  } finally {
    catalog.close();
  }
}

/** The evaluated student, after the distilled one that it comes from. */
function studentsOf(project: Project, { student, keys }: EvaluatePlan): TransferStudent[] {
  return (["distill", "calibrate"] as const).flatMap((stage) => {
    const key = keys[stage];
    if (!key || (stage !== student && !isFinished(project, stage, key))) return [];
    return [{ student: stage, key, dir: stageDir(project, stage, key) }];
  });
}

async function scoreAndCompare(
  project: Project,
  catalog: Catalog,
  plan: EvaluatePlan,
  options: StageOptions,
): Promise<void> {
  const started = performance.now();
  const { mos, evaluate } = project.config;
  const dir = stageDir(project, "evaluate", plan.key);
  const student = await openStudent(stageDir(project, plan.student, plan.studentKey));
  const rows: { image: string; hash: string; score: number; mos: number }[] = [];
  const list = failuresIn(dir);
  let failed = 0;
  let calibration: EvaluationFacts["calibration"] = null;
  try {
    const items = plan.hashes.map((hash) => ({ hash, path: catalog.pathOf(hash) }));
    const maxPixels = maxPixelsOf(project.config);
    for await (const scored of scoreImages(student, items, { signal: options.signal, maxPixels })) {
      const { hash } = scored.item;
      const image = catalog.relativePathOf(hash);
      if ("reason" in scored) {
        failed++;
        list.add({ kind: "score", file: image, reason: scored.reason });
      } else rows.push({ image, hash, score: studentToMos(scored.score, mos!), mos: catalog.mos.get(hash)! });
      options.onProgress?.({
        stage: "evaluate",
        step: "score",
        done: rows.length + failed,
        total: items.length,
        unit: "images",
      });
    }
    if (rows.length >= leastRated)
      calibration = await calibrationError(project, catalog, student, plan.calibration, options);
  } finally {
    await student.close();
  }
  const failures = await list.finish();
  if (rows.length < leastRated) {
    throw new LeafError(
      "failed",
      say`${rows.length === 0 ? say`None` : say`Only ${rows.length}`} of the ${plan.hashes.length} images of the ${evaluate.split} split could be scored; ${leastRated} are the least.`,
      { failures, remedy: say`Run \`leaf check\`, and mend or exclude the files that failed.` },
    );
  }
  tellFailures(failures, "evaluate", options.onWarning);
  rows.sort((a, b) => (a.image < b.image ? -1 : 1));
  const metrics = evaluateMetrics(
    Float64Array.from(rows, (row) => row.score),
    Float64Array.from(rows, (row) => row.mos),
    { bootstrap: evaluate.bootstrap, seed: 0 },
  );
  await writeFileAtomic(
    path.join(dir, "predictions.csv"),
    toCsv(
      ["image", "hash", "score", "mos"],
      rows.map((row) => [row.image, row.hash, row.score, row.mos]),
    ),
  );
  const finished: Finished = {
    ...metrics,
    split: evaluate.split,
    student: plan.student,
    failed,
    spread: { scores: sd(rows.map((row) => row.score)), mos: sd(rows.map((row) => row.mos)) },
    calibration,
    seconds: (performance.now() - started) / 1000,
  };
  await writeJson(path.join(dir, "evaluation.json"), finished);
  await writeResult(project, "evaluate", plan.key, finished);
}

async function factsOf(
  project: Project,
  catalog: Catalog,
  plan: EvaluatePlan,
  finished: Finished & Pick<EvaluationFacts, "spread">,
): Promise<EvaluationFacts> {
  const { student, n, srcc, plcc, rmse, spread, calibration = null } = finished;
  const [low, high] = project.config.mos!.range;
  const teacher = await teacherFingerprint(project.config.teacher, project.root);
  const { mos } = project.config;
  const truth = (hash: string) => mosToStudent(catalog.mos.get(hash)!, mos!);
  const distilled =
    student === "calibrate" && project.config.calibrate.from !== "backbone"
      ? await planEvaluation(project, catalog, "distill")
      : undefined;
  const before = distilled && (await readResult(project, "evaluate", distilled.key));
  return {
    student,
    n,
    srcc,
    plcc,
    rmse,
    spread,
    range: high - low,
    teacherSrcc: teacherSrcc(project, teacher, plan.hashes, truth),
    distilledSrcc: plan.keys.distill && before ? before.srcc : null,
    calibration,
  };
}
