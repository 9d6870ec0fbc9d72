import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { teacherReliability } from "../../engine/views/teacherReliability.ts";
import type {
  CalibrationMetrics,
  ReliabilityBin,
  TeacherReliability,
  TemperatureScaling,
} from "../../protocol/reliability.ts";
import { figure, percent, withInterval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, stageOptions, table } from "../context.ts";
import type { Run } from "../run.ts";

export function addReliabilityCommand(program: Command, run: Run): void {
  program
    .command("reliability")
    .description("is the teacher right? compare its labels with the MOS of training images")
    .option(
      "--split <split>",
      "whose MOS to look at: train, val or test. A teacher, prompt or setting chosen by the MOS of test images makes every later figure on them too good",
      "train",
    )
    .option(
      "--by <column>",
      "column of the MOS file to group images by (default: split.groupBy, else the folder)",
    )
    .option("--threshold <points>", "least difference of MOS, on 1..5, that names a winner", "0.25")
    .option(
      "--target <name>",
      "another target of mos.score than the main one, if the teacher is asked for it",
    )
    .action((options: { by?: string; threshold: string; split: string; target?: string }, command) =>
      run(async (context) => {
        const threshold = Number(options.threshold);
        if (!(threshold >= 0)) throw new LeafError("usage", say`--threshold takes a number, 0 or more.`);
        const { by, split, target } = options;
        if (split !== "train" && split !== "val" && split !== "test")
          throw new LeafError("usage", say`--split takes train, val or test, not ${split}.`);
        const result = await teacherReliability(await findProject(context), {
          ...stageOptions(context),
          by,
          threshold,
          split,
          target,
        });
        context.print(result, reliabilityText(result));
      })(command),
    );
}

function reliabilityText(result: TeacherReliability): string {
  const { pairs, points, positionBias: bias } = result;
  const lines = [
    `${result.kind} teacher · ${result.rated} ${result.split} images with a MOS${result.split === "train" ? `, ${result.calibration} of them to calibrate with` : ""}`,
  ];
  if (result.split === "test")
    lines.push("These MOS are for the last evaluation: choose nothing by them, or its figures are too good.");
  if (points)
    lines.push(
      "",
      `points     SRCC ${withInterval(points.srcc, points.ci95)} · PLCC ${figure(points.plcc)}`,
      ...(points.groups === undefined ? [] : [`           ${groupsNote(english, points.groups)}`]),
      `           ${metricsText(points, "top word is that of the MOS")}`,
      `           ${temperatureText(points.temperature)}`,
    );
  if (pairs)
    lines.push(
      "",
      `pairs      ${metricsText(pairs, "right")} · ${pairs.undecided} undecided`,
      `           ${temperatureText(pairs.temperature)}`,
      `           label.minConfidence: ${pairs.minConfidence.value ?? `no suggestion: ${pairs.minConfidence.why}`}`,
      "",
      binsText("claimed", pairs.bins),
      "",
      binsText("confidence", pairs.byConfidence),
    );
  if (bias)
    lines.push(
      "",
      `position   bias ${figure(bias.logits.mean, 2)} ± ${figure(bias.logits.sd, 2)} logits over ${bias.pairs} pairs; the winner changes with the order in ${percent(bias.flipped)}`,
    );
  if (result.groups.length > 1) {
    const rows = result.groups.map((one) => [
      one.group,
      String(one.pairs),
      percent(one.right),
      String(one.confidentlyWrong),
    ]);
    lines.push("", table(["group", "pairs", "right", "surely wrong"], rows));
  }
  if (result.confidentErrors.length > 0) {
    const rows = result.confidentErrors.map(({ better, worse, p }) => [
      figure(p),
      better.image,
      figure(better.mos, 2),
      worse.image,
      figure(worse.mos, 2),
    ]);
    lines.push("", table(["P", "better by MOS", "MOS", "worse by MOS", "MOS"], rows));
  }
  if (points && !pairs)
    lines.push(
      "",
      "It has compared no two of these images: `label.check: [train]`, or `val`, or `test`, has `leaf label` ask for some.",
    );
  if (!pairs && !points)
    lines.push(`It has labelled no ${result.split} image that has a MOS: run \`leaf label\`.`);
  return lines.join("\n");
}

function metricsText({ n, right, ece, brier, auroc }: CalibrationMetrics, what: string): string {
  return `${percent(right)} ${what} (n = ${n}) · ECE ${figure(ece)} · Brier ${figure(brier)} · AUROC of confidence ${figure(auroc)}`;
}

function temperatureText({ temperature, fittedOn, before, after, why }: TemperatureScaling): string {
  if (temperature === null) return `temperature not fitted: ${why}`;
  const change =
    before && after
      ? `: ECE ${figure(before.ece)} → ${figure(after.ece)}, NLL ${figure(before.nll)} → ${figure(after.nll)} on other images (n = ${after.n})`
      : "";
  return `temperature ${figure(temperature, 2)}, fitted on ${fittedOn} judgements of calibration images${change}`;
}

function binsText(name: string, bins: readonly ReliabilityBin[]): string {
  const rows = bins.map((bin) => [
    `${figure(bin.low, 2)}–${figure(bin.high, 2)}`,
    String(bin.n),
    figure(bin.claimed, 2),
    withInterval(bin.right, bin.ci95, 2),
  ]);
  return table([name, "n", "mean", "right"], rows);
}
