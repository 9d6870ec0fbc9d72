import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { labelStage, spentText } from "../../engine/pipeline/stages/label.ts";
import { dryRunLabels, estimateLabels } from "../../engine/pipeline/stages/labelPreview.ts";
import type { LabelResult } from "../../protocol/results.ts";
import { consented } from "../consent.ts";
import { findProject, stageOptions } from "../context.ts";
import { dryRunText, estimateText } from "../previewText.ts";
import type { Run } from "../run.ts";

interface LabelFlags {
  pointsOnly?: boolean;
  pairsOnly?: boolean;
  dryRun?: string;
  estimate?: boolean;
}

export function addLabelCommand(program: Command, run: Run): void {
  program
    .command("label")
    .description("let the teacher judge the images, one by one and in pairs")
    .option("--points-only", "judge single images only")
    .option("--pairs-only", "compare pairs only")
    .option("--dry-run <n>", "show prompt, top tokens and label of some images, and store nothing")
    .option("--estimate", "tell the requests, tokens and cost that are left, and label nothing")
    .action((flags: LabelFlags, command) =>
      run(async (context) => {
        const only = halfOf(flags);
        const work = flags.dryRun === undefined ? "label" : "dryRun";
        const project = await consented(context, await findProject(context), work);
        const options = stageOptions(context);
        if (flags.dryRun !== undefined) {
          const dryRun = await dryRunLabels(project, countOf(flags.dryRun), options);
          context.print(dryRun, dryRunText(dryRun));
        } else if (flags.estimate) {
          const estimate = await estimateLabels(project, { ...options, only });
          context.print(estimate, estimateText(estimate));
        } else {
          const result = await labelStage(project, { ...options, only });
          await context.printWithFailures(result, labelText(result));
        }
      })(command),
    );
}

function halfOf({ pointsOnly, pairsOnly }: LabelFlags): "points" | "pairs" | undefined {
  if (pointsOnly && pairsOnly)
    throw new LeafError("usage", "--points-only and --pairs-only exclude each other.", {
      remedy: "Leave both out to do all.",
    });
  return pointsOnly ? "points" : pairsOnly ? "pairs" : undefined;
}

function countOf(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw new LeafError("usage", `--dry-run takes a number of images from 1 to 100, not ${text}.`);
  return count;
}

export function labelText({ images, points, pairs, reasons, positionBias, spent }: LabelResult): string {
  const lines = [
    `label      ${images} images: ${points.labelled} judged, ${points.reused} reused, ${points.failed} failed`,
    `           ${pairs.labelled + pairs.reused} pairs: ${pairs.labelled} judged, ${pairs.reused} reused, ${pairs.failed} failed; ${pairs.kept} kept, ${pairs.discarded} discarded`,
  ];
  if (reasons)
    lines.push(
      `           ${reasons.labelled + reasons.reused} reasons: ${reasons.labelled} given, ${reasons.reused} reused, ${reasons.failed} failed`,
    );
  // Without a trace of it, as with the embedded teacher, it is not worth a line.
  if (positionBias && (positionBias.flipped > 0 || Math.abs(positionBias.first - 0.5) > 1e-6))
    lines.push(
      `           position bias: the first image is preferred with probability ${positionBias.first.toFixed(2)}; the order decides ${(100 * positionBias.flipped).toFixed(1)} % of ${positionBias.pairs} pairs`,
    );
  if (spent) lines.push(`           spent: ${spentText(spent)}`);
  return lines.join("\n");
}
