import { type Command, Option } from "commander";
import type { Project } from "../../engine/config/project.ts";
import { evaluationTable, partsTable } from "../../engine/experiments/evaluationTable.ts";
import { tableAs } from "../../engine/experiments/formats.ts";
import { joinTraining } from "../../engine/pipeline/launch.ts";
import { runPipeline } from "../../engine/pipeline/pipeline.ts";
import { findRun } from "../../engine/pipeline/runSummaries.ts";
import { calibrateStage } from "../../engine/pipeline/stages/calibrate.ts";
import { distillStage } from "../../engine/pipeline/stages/distill.ts";
import { evaluateStage } from "../../engine/pipeline/stages/evaluate.ts";
import { distilledMetrics } from "../../engine/report/collect.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  Transfer,
  TransferCell,
} from "../../protocol/results.ts";
import { ceilingText } from "../../words/ceiling.ts";
import { duration } from "../../words/duration.ts";
import { figure, withInterval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { headline } from "../../words/headline.ts";
import { consented } from "../consent.ts";
import { findProject, stageOptions, table } from "../context.ts";
import { t } from "../locale.ts";
import type { Run } from "../run.ts";
import { labelText } from "./label.ts";

export function addStageCommands(program: Command, run: Run): void {
  program
    .command("distill")
    .description("train the student on the teacher's labels (TGD), without any MOS")
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
    .description("compare the student with the MOS of held-out images")
    .option("--stage <stage>", "which student: distill or calibrate (default: calibrate)")
    .option("--parts", "also by the grade of the MOS and within groups of images")
    .addOption(
      new Option("--format <format>", "a table for papers, other datasets in columns")
        .choices(["text", "markdown", "latex", "csv"])
        .default("text"),
    )
    .action((options: EvaluateOptions, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const result = await evaluateStage(project, stageOptions(context), options.stage);
        await context.printWithFailures(result, await evaluationText(project, result, options));
      })(command),
    );
  program
    .command("join")
    .description("take part in the training that another machine runs (`distill.launch`)")
    .action((_options, command) =>
      run(async (context) => {
        const project = await consented(context, await findProject(context), "distill");
        context.note("Waits for a training of the main node.");
        const key = await joinTraining(project, {
          signal: context.signal,
          onJoin: (one) => context.note(`Takes part in distill ${one}.`),
        });
        context.print({ key }, `The training distill ${key} has ended.`);
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
}

interface EvaluateOptions {
  stage?: string;
  parts?: boolean;
  format: "text" | "markdown" | "latex" | "csv";
}

async function evaluationText(
  project: Project,
  result: EvaluateResult,
  { parts, format }: EvaluateOptions,
): Promise<string> {
  const main =
    format === "text"
      ? evaluateText(result)
      : tableAs(
          evaluationTable(result, await distilledMetrics(project, await findRun(project, result.run))),
          format,
        );
  const more = parts && result.breakdown ? [tableAs(partsTable(result.breakdown), format)] : [];
  return [main, ...more].join("\n\n");
}

function distillText(result: DistillResult): string {
  const targets = (result.targets ?? []).map(
    ({ name, srcc, n }) => `\n           ${name}: SRCC ${figure(srcc)} with the teacher, n = ${n}`,
  );
  return trained("distill", result) + targets.join("");
}

function calibrateText(result: CalibrateResult): string {
  return trained("calibrate", result);
}

function trained(stage: "distill" | "calibrate", result: DistillResult | CalibrateResult): string {
  const parts = [result.run, headline(t, stage, result), how(result)];
  if ("temperature" in result) parts.splice(2, 0, `T ${result.temperature}`);
  return `${stage.padEnd(10)} ${parts.join(" · ")}\n           ${result.student}`;
}

function how({ reused, durationS }: { reused: boolean; durationS: number }): string {
  return reused ? t("fresh, nothing to do") : duration(t, durationS);
}

function evaluateText(result: EvaluateResult): string {
  return [
    `evaluate   ${result.run} · ${result.student === "calibrate" ? "calibrated" : "distilled"} student on ${result.n} ${result.split} images`,
    `           SRCC ${withInterval(result.srcc, result.ci95.srcc)} · PLCC ${withInterval(result.plcc, result.ci95.plcc)}, ${figure(result.plccLogistic)} after the logistic fit`,
    `           KRCC ${figure(result.krcc)} · RMSE ${figure(result.rmse)}`,
    ...(result.targets ?? []).flatMap((one) => [
      `           ${one.name}: n ${one.n} · SRCC ${withInterval(one.srcc, one.ci95.srcc)} · PLCC ${withInterval(one.plcc, one.ci95.plcc)} · RMSE ${figure(one.rmse)}`,
      ...(one.ceiling ? [`           ${one.name}: ${ceilingText(t, one.ceiling)}`] : []),
    ]),
    ...(result.groups === undefined ? [] : [`           ${groupsNote(t, result.groups)}`]),
    ...(result.ceiling ? [`           ${ceilingText(t, result.ceiling)}`] : []),
    ...(result.findings ?? []).map(
      ({ message, remedy }) => `           ! ${message}\n             ${remedy}`,
    ),
    ...(result.transfer ? ["", transferText(result.transfer)] : []),
  ].join("\n");
}

/** Students in rows, other datasets in columns. */
function transferText({ datasets, rows }: Transfer): string {
  const cell = (one: TransferCell | null) =>
    one
      ? `SRCC ${withInterval(one.srcc, one.ci95.srcc)} PLCC ${withInterval(one.plcc, one.ci95.plcc)} n ${one.n}${one.far ? `, ${one.far} far` : ""}`
      : "–";
  return table(
    ["other datasets", ...datasets],
    rows.map(({ student, cells }) => [student === "calibrate" ? "CFT" : "TGD", ...cells.map(cell)]),
  );
}
