import { existsSync } from "node:fs";
import path from "node:path";
import type { EvaluateResult, EvaluationFacts, Metrics } from "../../../protocol/results.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { writeJson } from "../../base/files.ts";
import type { Project } from "../../config/project.ts";
import { failuresIn, readFailures } from "../../failures/list.ts";
import { tellFailures } from "../../failures/words.ts";
import { maxPixelsOf } from "../../images/limits.ts";
import { breakdownOf } from "../../metrics/breakdown.ts";
import { ceilingOf } from "../../metrics/ceiling.ts";
import { mosToStudent, studentToMos } from "../../mos/scale.ts";
import { teacherSrcc } from "../../reliability/teacherCheck.ts";
import { openStudent, scoreImages } from "../../student/student.ts";
import { carryOut } from "../carryOut.ts";
import { findFailureModes } from "../failureModes.ts";
import { leastRated } from "../plan/evaluate.ts";
import { withPlan } from "../plan/plan.ts";
import type { Evaluated, EvaluatePlan, Plan } from "../plan/types.ts";
import { type Prediction, predictionsFile, readPredictions } from "../predictions.ts";
import { changeRun, recordStage } from "../runs.ts";
import {
  finishedResult,
  isFinished,
  readResult,
  type StageOptions,
  stageDir,
  withCatalog,
  writeResult,
} from "../stage.ts";
import { metricsOf, targetsBeside, withCeiling, writePredictions } from "./evaluateTargets.ts";
import { calibrationError, elsewhereOf, sd } from "./evaluationFacts.ts";
import { evaluateTransfer, type TransferStudent } from "./transfer.ts";

type Finished = Metrics & {
  split: EvaluateResult["split"];
  student: Evaluated;
  failed: number;
  seconds: number;
  targets?: EvaluateResult["targets"];
  spread?: EvaluationFacts["spread"];
  calibration?: EvaluationFacts["calibration"];
};

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
  return withCatalog(project, options, (catalog) =>
    withPlan(project, catalog, (plan) => evaluate(plan, options, stage, transfer)),
  );
}

async function evaluate(
  plan: Plan,
  options: StageOptions,
  student: Evaluated,
  transfer: boolean,
): Promise<EvaluateResult> {
  const { project, catalog } = plan;
  const evaluation = await plan.evaluate(student);
  const { key, keys, studentKey } = evaluation;
  if (!isFinished(project, student, studentKey)) {
    throw new LeafError(
      "failed",
      student === "distill"
        ? say`There is no distilled student for this config yet.`
        : say`There is no calibrated student for this config yet.`,
      { remedy: say`Run \`leaf ${student}\` first, or \`leaf run\` for all stages.` },
    );
  }
  return carryOut(project, evaluation, {
    work: () => scoreAndCompare(plan, evaluation, options),
    async record(run) {
      const { result, seconds } = await resultOf(run.id);
      if (student === "calibrate") {
        await recordStage(project, run, "evaluate", { key, seconds, result });
      } else if (run.working || run.distilledEvaluation !== key) {
        // The distilled student's own evaluation is a by-look: the run keeps that of its last stage.
        await changeRun(project, run, { state: "done", working: null, distilledEvaluation: key });
      }
      return result;
    },
  });

  async function resultOf(run: string): Promise<{ result: EvaluateResult; seconds: number }> {
    const finished = await finishedResult(project, "evaluate", key);
    const dir = stageDir(project, "evaluate", key);
    const failures = await readFailures(dir);
    const { seconds, spread, calibration: _, inputs: __, ...metrics } = finished;
    const file = predictionsFile(project, key);
    const ceiling = ceilingOf(project.config.mos, catalog.raw?.ratings, evaluation.hashes);
    const result: EvaluateResult = {
      run,
      ...metrics,
      ...(ceiling && { ceiling }),
      ...(metrics.targets && {
        targets: metrics.targets.map(withCeiling(project.config.mos, evaluation.targets)),
      }),
      ...(existsSync(file) && { breakdown: breakdownOf(await readPredictions(file), project.config.mos!) }),
      ...(failures && { failures }),
    };
    if (transfer && project.config.evaluate.datasets?.length) {
      const students = studentsOf(project, student, keys);
      result.transfer = await evaluateTransfer(project, catalog, students, dir, options);
      await writeJson(path.join(dir, "evaluation.json"), { ...metrics, transfer: result.transfer });
    }
    result.findings = spread
      ? findFailureModes({
          ...(await factsOf(plan, evaluation, { ...finished, spread })),
          elsewhere: elsewhereOf(student, result.transfer),
        })
      : [];
    return { result, seconds };
  }
}

/** The evaluated student, after the distilled one that it comes from. */
function studentsOf(project: Project, student: Evaluated, keys: EvaluatePlan["keys"]): TransferStudent[] {
  return (["distill", "calibrate"] as const).flatMap((stage) => {
    const key = keys[stage];
    if (!key || (stage !== student && !isFinished(project, stage, key))) return [];
    return [{ student: stage, key, dir: stageDir(project, stage, key) }];
  });
}

async function scoreAndCompare(
  { project, catalog }: Plan,
  plan: EvaluatePlan,
  options: StageOptions,
): Promise<void> {
  const started = performance.now();
  const { mos, evaluate } = project.config;
  const dir = stageDir(project, "evaluate", plan.key);
  const gpu = project.config.python.device !== "cpu";
  const student = await openStudent(stageDir(project, plan.student, plan.studentKey), { gpu });
  const rows: Prediction[] = [];
  const evaluated = new Set(plan.hashes);
  const beside = targetsBeside(plan.targets);
  const list = failuresIn(dir);
  let [done, failed] = [0, 0];
  let calibration: EvaluationFacts["calibration"] = null;
  try {
    const all = new Set([...plan.hashes, ...plan.targets.flatMap(({ hashes }) => hashes)]);
    const items = Array.from(all, (hash) => ({ hash, path: catalog.pathOf(hash) }));
    const maxPixels = maxPixelsOf(project.config);
    for await (const scored of scoreImages(student, items, { signal: options.signal, maxPixels })) {
      const { hash } = scored.item;
      const image = catalog.relativePathOf(hash);
      done++;
      if ("reason" in scored) {
        failed++;
        list.add({ kind: "score", file: image, reason: scored.reason });
      } else {
        const known = { path: image, hash, group: catalog.groupNameOf(hash) ?? "" };
        if (evaluated.has(hash))
          rows.push({ ...known, score: studentToMos(scored.score, mos!), mos: catalog.mos.get(hash)! });
        beside.add(known, scored);
      }
      options.onProgress?.({
        stage: "evaluate",
        step: "score",
        done,
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
      say`${rows.length === 0 ? say`None` : say`Only ${rows.length}`} of the ${plan.hashes.length} images of the ${evaluate.split} split could be scored; at least ${leastRated} are needed.`,
      { failures, remedy: say`Run \`leaf check\`, and repair or exclude the files that failed.` },
    );
  }
  tellFailures(failures, "evaluate", options.onWarning);
  await writePredictions(predictionsFile(project, plan.key), rows);
  const targets = await beside.finish(dir, project.config);
  const finished: Finished = {
    ...metricsOf(rows, project.config),
    ...(targets.length > 0 && { targets }),
    split: evaluate.split,
    student: plan.student,
    failed,
    spread: { scores: sd(rows.map((row) => row.score)), mos: sd(rows.map((row) => row.mos)) },
    calibration,
    seconds: (performance.now() - started) / 1000,
  };
  await writeJson(path.join(dir, "evaluation.json"), finished);
  await writeResult(project, plan, finished);
}

async function factsOf(
  plan: Plan,
  { hashes, keys }: EvaluatePlan,
  finished: Finished & Pick<EvaluationFacts, "spread">,
): Promise<EvaluationFacts> {
  const { student, n, srcc, plcc, rmse, spread, calibration = null } = finished;
  const { project, catalog } = plan;
  const { mos, calibrate } = project.config;
  const [low, high] = mos!.range;
  const truth = (hash: string) => mosToStudent(catalog.mos.get(hash)!, mos!);
  const distilled =
    student === "calibrate" && calibrate.from !== "backbone" ? await plan.evaluate("distill") : undefined;
  const before = distilled && (await readResult(project, "evaluate", distilled.key));
  return {
    student,
    n,
    srcc,
    plcc,
    rmse,
    spread,
    range: high - low,
    teacherSrcc: teacherSrcc(plan.labels(), await plan.teacher(), hashes, truth),
    distilledSrcc: keys.distill && before ? before.srcc : null,
    calibration,
  };
}
