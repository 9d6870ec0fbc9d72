import path from "node:path";
import type { Command } from "commander";
import { failureCount } from "../../engine/failures/words.ts";
import { runPipeline } from "../../engine/pipeline/pipeline.ts";
import { calibrateStage } from "../../engine/pipeline/stages/calibrate.ts";
import { distillStage } from "../../engine/pipeline/stages/distill.ts";
import { evaluateStage } from "../../engine/pipeline/stages/evaluate.ts";
import { pipelineStatus } from "../../engine/pipeline/status.ts";
import type { FailureSummary } from "../../protocol/failures.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  Transfer,
  TransferCell,
} from "../../protocol/results.ts";
import { english } from "../../words/translate.ts";
import { whyWords } from "../../words/why.ts";
import { consented } from "../consent.ts";
import { figure, findProject, stageOptions, table } from "../context.ts";
import { formatDuration } from "../progress.ts";
import type { Run } from "../run.ts";
import { labelText } from "./label.ts";

export function addStageCommands(program: Command, run: Run): void {
  program
    .command("distill")
    .description("train the student on the teacher's labels (TGD); no MOS is used")
    .action((_options, command) =>
      run(async (context) => {
        const result = await distillStage(
          await consented(context, await findProject(context), "distill"),
          stageOptions(context),
        );
        await context.printWithFailures(result, distillText(result));
      })(command),
    );
  program
    .command("calibrate")
    .description("move the student onto the scale of a few human scores (CFT)")
    .action((_options, command) =>
      run(async (context) => {
        const result = await calibrateStage(
          await consented(context, await findProject(context), "calibrate"),
          stageOptions(context),
        );
        await context.printWithFailures(result, calibrateText(result));
      })(command),
    );
  program
    .command("evaluate")
    .description("agreement with the MOS of held-out images")
    .option("--stage <stage>", "which student: distill or calibrate (default: calibrate)")
    .action((options: { stage?: string }, command) =>
      run(async (context) => {
        const result = await evaluateStage(await findProject(context), stageOptions(context), options.stage);
        await context.printWithFailures(result, evaluateText(result));
      })(command),
    );
  program
    .command("run")
    .description("run all stages that are not fresh")
    .action((_options, command) =>
      run(async (context) => {
        const result = await runPipeline(
          await consented(context, await findProject(context), "run"),
          stageOptions(context),
        );
        const parts = [labelText(result.label), distillText(result.distill)];
        if (result.calibrate) parts.push(calibrateText(result.calibrate));
        if (result.evaluate) parts.push(evaluateText(result.evaluate));
        context.print(result, parts.join("\n"));
      })(command),
    );
  program
    .command("status")
    .description("which stages are fresh, stale or missing, and why")
    .action((_options, command) =>
      run(async (context) => {
        const status = await pipelineStatus(await findProject(context), stageOptions(context));
        for (const problem of status.problems) context.note(`warning: ${problem}`);
        const stages = status.stages.map((one) => ({
          ...one,
          why: whyWords(english, one.reason) || undefined,
        }));
        const rows = stages.map(({ stage, state, why, failures }) => [
          stage,
          state,
          [why, failures && `${failureCount(failures)}${placeOf(failures)}`].filter(Boolean).join("; "),
        ]);
        context.print({ ...status, stages }, table(["stage", "state", "why"], rows));
      })(command),
    );
}

function placeOf({ file }: FailureSummary): string {
  return file ? ` (${path.relative(process.cwd(), file)})` : "";
}

function distillText(result: DistillResult): string {
  const { srcc, n } = result.teacherAgreement;
  return `distill    ${result.run} · agrees with the teacher: SRCC ${figure(srcc)} (n = ${n}) · ${how(result)}\n           ${result.student}`;
}

function calibrateText(result: CalibrateResult): string {
  const start = result.from === "backbone" ? ", from the backbone alone" : "";
  const what = `${result.images} human scores${result.headOnly ? ", head only" : ""}${start}`;
  return `calibrate  ${result.run} · ${what} · ${how(result)}\n           ${result.student}`;
}

function how({ reused, durationS }: { reused: boolean; durationS: number }): string {
  return reused ? "fresh, nothing to do" : formatDuration(durationS);
}

function evaluateText(result: EvaluateResult): string {
  const interval = (ci: [number, number] | null) => (ci ? ` [${ci[0].toFixed(3)}, ${ci[1].toFixed(3)}]` : "");
  return [
    `evaluate   ${result.run} · ${result.student === "calibrate" ? "calibrated" : "distilled"} student on ${result.n} ${result.split} images`,
    `           SRCC ${figure(result.srcc)}${interval(result.ci95.srcc)} · PLCC ${figure(result.plcc)}${interval(result.ci95.plcc)}, ${figure(result.plccLogistic)} after the logistic fit`,
    `           KRCC ${figure(result.krcc)} · RMSE ${figure(result.rmse)}`,
    ...(result.findings ?? []).map(
      ({ message, remedy }) => `           ! ${message}\n             ${remedy}`,
    ),
    ...(result.transfer ? ["", transferText(result.transfer)] : []),
  ].join("\n");
}

/** Students in rows, other datasets in columns. */
function transferText({ datasets, rows }: Transfer): string {
  const interval = (ci: [number, number] | null) => (ci ? ` [${ci[0].toFixed(2)}, ${ci[1].toFixed(2)}]` : "");
  const cell = (one: TransferCell | null) =>
    one
      ? `SRCC ${figure(one.srcc)}${interval(one.ci95.srcc)} PLCC ${figure(one.plcc)}${interval(one.ci95.plcc)} n ${one.n}${one.far ? `, ${one.far} far` : ""}`
      : "–";
  return table(
    ["other datasets", ...datasets],
    rows.map(({ student, cells }) => [student === "calibrate" ? "CFT" : "TGD", ...cells.map(cell)]),
  );
}
