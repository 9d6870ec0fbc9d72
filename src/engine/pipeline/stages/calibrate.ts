import path from "node:path";
import type { CalibrateResult } from "../../../protocol/results.ts";
import { figure, interval } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Project } from "../../config/project.ts";
import { readFailures } from "../../failures/list.ts";
import { targetsOf } from "../../mos/complete.ts";
import { carryOut } from "../carryOut.ts";
import { withPlan } from "../plan/plan.ts";
import type { CalibratePlan, Plan } from "../plan/types.ts";
import { recordStage } from "../runs.ts";
import {
  finishedResult,
  isFinished,
  type StageOptions,
  stageDir,
  withCatalog,
  writeResult,
} from "../stage.ts";
import { type ClosedForm, checkClosedForm, fitClosedForm } from "./closedForm.ts";
import { compareMethods, foldsOf } from "./compareMethods.ts";
import { fineTune } from "./fineTune.ts";
import { cardTargets, tellUndecoded, trainingCache, writeCard } from "./training.ts";

/** Brings the student to the human scale by the chosen images' MOS: in closed form, by fine-tuning (CFT), or the better of the two. */
export async function calibrateStage(project: Project, options: StageOptions = {}): Promise<CalibrateResult> {
  return withCatalog(project, options, (catalog) =>
    withPlan(project, catalog, async (plan) => {
      const calibrate = await plan.calibrate(options);
      tellOfTeacher(calibrate, project, options);
      tellOfUnrated(calibrate, plan, options);
      if (
        calibrate.settings.refine === true &&
        calibrate.networks.length > 0 &&
        calibrate.taught.length === 0
      )
        options.onWarning?.(
          say`\`calibrate.refine\` changes nothing: there are no teacher's scores of the training images; run \`leaf label\` first`,
        );
      if (calibrate.distilled && !isFinished(project, "distill", calibrate.distilled)) {
        throw new LeafError("failed", say`There is no distilled student for this config yet.`, {
          remedy: say`Run \`leaf distill\` first, or \`leaf run\` for all stages.`,
        });
      }
      const { key } = calibrate;
      const dir = stageDir(project, "calibrate", key);
      return carryOut(project, calibrate, {
        work: () => calibrateStudent(plan, calibrate, dir, options),
        async record(run, reused) {
          const { inputs: _, ...finished } = await finishedResult(project, "calibrate", key);
          const failures = await readFailures(dir);
          const result: CalibrateResult = {
            run: run.id,
            student: path.join(dir, "student.onnx"),
            reused,
            ...finished,
            from: finished.from ?? (calibrate.distilled ? "distill" : "backbone"),
            teacherCheck: calibrate.teacherCheck,
            ...(failures && { failures }),
          };
          await recordStage(project, run, "calibrate", { key, seconds: finished.durationS, result });
          return result;
        },
      });
    }),
  );
}

/** A teacher that the human scores do not agree with is told of, whatever the config makes of it. */
function tellOfTeacher(
  { teacherCheck, distilled, networks }: CalibratePlan,
  project: Project,
  options: StageOptions,
): void {
  if (teacherCheck?.verdict !== "chance" && teacherCheck?.verdict !== "unclear") return;
  const { n, srcc, ci95 } = teacherCheck;
  const figures =
    srcc === null
      ? say`its scores are all equal`
      : say`SRCC ${figure(srcc)}, 95 % interval ${interval(ci95) || say`unknown`}`;
  const means =
    teacherCheck.verdict === "unclear"
      ? say`rate more images to be sure`
      : networks.length > 1
        ? say`the fit weighs the distilled student against the network as it comes`
        : distilled
          ? say`the distilled student may be worse than none: consider \`calibrate.from: backbone\``
          : say`calibration starts from the backbone alone, at five times the rates and twice the epochs; \`calibrate.from: distill\` insists on the distilled student`;
  options.onWarning?.(
    say`the teacher (${project.config.teacher.kind}) does not clearly agree with the ${n} human scores (${figures}); ${means}`,
  );
}

function tellOfUnrated({ targets }: CalibratePlan, { catalog }: Plan, options: StageOptions): void {
  for (const { name } of catalog.targets ?? [])
    if (!targets.some((one) => one.name === name))
      options.onWarning?.(
        say`students do not learn ${name}: fewer than two training images have a score of it`,
      );
}

async function calibrateStudent(
  plan: Plan,
  calibrate: CalibratePlan,
  dir: string,
  options: StageOptions,
): Promise<void> {
  const { method } = calibrate.settings;
  if (method === "fine-tune") return finishFineTuning(plan, calibrate, dir, {}, options);
  const folds = method === "best" ? foldsOf(plan, calibrate) : undefined;
  const closed = await fitClosedForm(plan, calibrate, dir, options, (hash) => folds?.get(hash) ?? null);
  const facts = closed.done.facts;
  if (folds) {
    const compared = await compareMethods(plan, calibrate, dir, folds, closed.done.folds, options);
    if (compared.fineTuned !== null && compared.fineTuned > (compared.closedForm ?? -1)) {
      await finishFineTuning(plan, calibrate, dir, { head: facts, compared }, options);
      return;
    }
    await finishClosedForm(plan, calibrate, dir, closed, { head: facts, compared });
  } else await finishClosedForm(plan, calibrate, dir, closed, { head: facts });
}

type Told = Pick<CalibrateResult, "head" | "compared">;
interface Finished extends Told {
  durationS: number;
  images: number;
  headOnly: boolean;
  method: "closed-form" | "fine-tune";
  from: NonNullable<CalibrateResult["from"]>;
}

async function finishClosedForm(
  plan: Plan,
  calibrate: CalibratePlan,
  dir: string,
  { done, card, images, hashes, targets }: ClosedForm,
  told: Told,
): Promise<void> {
  const { project } = plan;
  const { torch, device } = card.provenance;
  const write = (exportMaxDifference: number) =>
    writeCard(
      project,
      dir,
      {
        stage: "calibrate",
        stageKey: calibrate.key,
        teacher: null,
        images,
        mosScale: scaleOf(project),
        ...cardTargets(project, targets, targetsOf(project.config.mos), done),
      },
      {
        parameters: done.parameters,
        exportMaxDifference,
        domain: card.domain ?? null,
        levels: card.levels!,
        head: done.facts,
      },
      { torch, device },
    );
  await write(0);
  await write(await checkClosedForm(plan, dir, hashes, done));
  const [first, second] = done.facts.networks;
  const from = second ? "both" : first === "distilled" ? "distill" : "backbone";
  const finished: Finished = {
    durationS: done.durationS,
    images,
    headOnly: false,
    method: "closed-form",
    from,
    ...told,
  };
  await writeResult(project, calibrate, finished);
}

async function finishFineTuning(
  plan: Plan,
  calibrate: CalibratePlan,
  dir: string,
  told: Told,
  options: StageOptions,
): Promise<void> {
  const { project, catalog } = plan;
  const cache = await trainingCache(project, catalog, "calibrate", options);
  try {
    const chosen = calibrate.rows.filter((row) => row.split === "train").map((row) => row.hash);
    const undecoded = await tellUndecoded(project, "calibrate", dir, chosen, cache.failed, options);
    const images = calibrate.chosen - undecoded;
    const rows = calibrate.rows;
    const { targets } = calibrate;
    const { done, hello } = await fineTune(
      plan,
      calibrate,
      cache,
      { dir, rows, targets, keep: "best" },
      options,
    );
    await writeCard(
      project,
      dir,
      {
        stage: "calibrate",
        stageKey: calibrate.key,
        teacher: null,
        images,
        mosScale: scaleOf(project),
        ...cardTargets(project, targets, targetsOf(project.config.mos)),
      },
      done,
      hello,
    );
    const from = calibrate.distilled && calibrate.settings.from !== "backbone" ? "distill" : "backbone";
    const finished: Finished = {
      durationS: done.durationS,
      images,
      headOnly: calibrate.headOnly,
      method: "fine-tune",
      from,
      ...told,
    };
    await writeResult(project, calibrate, finished);
  } finally {
    cache.release();
  }
}

function scaleOf({ config }: Project) {
  const { range, lowerIsBetter } = config.mos!;
  return { range, lowerIsBetter };
}
