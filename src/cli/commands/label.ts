import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { labelOnCluster } from "../../engine/cluster/label.ts";
import { spentText } from "../../engine/pipeline/stages/label/spent.ts";
import { labelStage } from "../../engine/pipeline/stages/label.ts";
import { dryRunLabels, estimateLabels } from "../../engine/pipeline/stages/labelPreview.ts";
import type { LabelResult } from "../../protocol/results.ts";
import { count, figure, percent } from "../../words/figure.ts";
import { inEnglish, say } from "../../words/text.ts";
import { consented } from "../consent.ts";
import { findProject, stageOptions } from "../context.ts";
import { dryRunText, estimateText } from "../previewText.ts";
import { clusterOptions, onRay, type RayArguments } from "../rayEngine.ts";
import type { Run } from "../run.ts";

interface LabelFlags extends RayArguments {
  pointsOnly?: boolean;
  pairsOnly?: boolean;
  dryRun?: string;
  prompts?: string;
  member?: string;
  target?: string;
  estimate?: boolean;
  workerGpus: string;
}

export function addLabelCommand(program: Command, run: Run): void {
  program
    .command("label")
    .description("let the teacher judge the images, one by one and in pairs")
    .option("--points-only", "judge single images only")
    .option("--pairs-only", "compare pairs only")
    .option("--dry-run <n>", "show prompt, top tokens and label of some images, and store nothing")
    .option(
      "--prompts <file>",
      "with --dry-run: ask in these words too (YAML, as `teacher.prompts`), and compare",
    )
    .option("--member <n>", "with --dry-run: which teacher of an ensemble (1 is the first)")
    .option("--target <name>", "with --dry-run: the question for this target (default: the main one)")
    .option("--estimate", "print the requests, tokens and cost that remain, and label nothing")
    .option("--engine <name>", "local, or ray: ask the teacher from a Ray cluster", "local")
    .option(
      "--address <address>",
      "ray: a cluster that runs (default: one on this machine, for this command)",
    )
    .option("--workers <n>", "ray: processes that ask at once (default: as many as have room)")
    .option("--worker-cpus <n>", "ray: processors of each worker", "1")
    .option("--worker-gpus <n>", "ray: GPUs of each worker, or a part of one", "0")
    .action((flags: LabelFlags, command) =>
      run(async (context) => {
        const ray = onRay(flags);
        if (ray && (flags.dryRun !== undefined || flags.estimate))
          throw new LeafError("usage", say`--engine ray labels: leave it out of --dry-run and --estimate.`);
        const only = halfOf(flags);
        if (flags.prompts !== undefined && flags.dryRun === undefined)
          throw new LeafError("usage", say`--prompts goes with --dry-run.`);
        if (flags.member !== undefined && flags.dryRun === undefined)
          throw new LeafError("usage", say`--member goes with --dry-run.`);
        if (flags.target !== undefined && flags.dryRun === undefined)
          throw new LeafError("usage", say`--target goes with --dry-run.`);
        const work = flags.dryRun === undefined ? "label" : "dryRun";
        const project = await consented(context, await findProject(context), work);
        const options = stageOptions(context);
        if (flags.dryRun !== undefined) {
          const dryRun = await dryRunLabels(project, countOf(flags.dryRun), {
            ...options,
            prompts: flags.prompts,
            target: flags.target,
            member: flags.member === undefined ? undefined : Number(flags.member),
          });
          context.print(dryRun, dryRunText(dryRun));
        } else if (flags.estimate) {
          const estimate = await estimateLabels(project, { ...options, only });
          context.print(estimate, estimateText(estimate));
        } else {
          const result = ray
            ? await labelOnCluster(project, {
                ...options,
                ...clusterOptions(flags),
                gpus: gpusOf(flags.workerGpus),
                only,
              })
            : await labelStage(project, { ...options, only });
          await context.printWithFailures(result, labelText(result));
        }
      })(command),
    );
}

function halfOf({ pointsOnly, pairsOnly }: LabelFlags): "points" | "pairs" | undefined {
  if (pointsOnly && pairsOnly)
    throw new LeafError("usage", say`--points-only and --pairs-only exclude each other.`, {
      remedy: say`Leave both out to do all.`,
    });
  return pointsOnly ? "points" : pairsOnly ? "pairs" : undefined;
}

function gpusOf(text: string): number {
  const gpus = Number(text);
  if (!(gpus >= 0 && gpus <= 64) || text.trim() === "")
    throw new LeafError("usage", say`--worker-gpus takes a number from 0 to 64, not ${text}.`);
  return gpus;
}

function countOf(text: string): number {
  const images = Number(text);
  if (!Number.isInteger(images) || images < 1 || images > 100)
    throw new LeafError("usage", say`--dry-run takes a number of images from 1 to 100, not ${text}.`);
  return images;
}

export function labelText({
  images,
  points,
  pairs,
  checks,
  reasons,
  positionBias,
  spent,
  targets = [],
}: LabelResult): string {
  const done = (of: { labelled: number; reused: number; failed: number }, verb = "judged") =>
    `${count(of.labelled)} ${verb}, ${count(of.reused)} reused, ${count(of.failed)} failed`;
  const lines = [
    `label      ${count(images)} images: ${done(points)}`,
    `           ${count(pairs.labelled + pairs.reused)} pairs: ${done(pairs)}; ${count(pairs.kept)} kept, ${count(pairs.discarded)} discarded`,
  ];
  for (const { name, points, pairs } of targets)
    lines.push(
      `           ${name}: ${done(points)}; ${count(pairs.labelled + pairs.reused)} pairs: ${done(pairs)}`,
    );
  if (checks)
    lines.push(
      `           to compare with the human scores, learnt from by nobody: ${count(checks.points.labelled + checks.points.reused)} images, ${count(checks.pairs.labelled + checks.pairs.reused)} pairs`,
    );
  if (reasons)
    lines.push(`           ${count(reasons.labelled + reasons.reused)} reasons: ${done(reasons, "given")}`);
  // Without a trace of it, as with the embedded teacher, it is not worth a line.
  if (positionBias && (positionBias.flipped > 0 || Math.abs(positionBias.first - 0.5) > 1e-6))
    lines.push(
      `           position bias: the first image is preferred with probability ${figure(positionBias.first, 2)}; the order decides ${percent(positionBias.flipped)} of ${count(positionBias.pairs)} pairs`,
    );
  if (spent) lines.push(`           spent: ${inEnglish(spentText(spent))}`);
  return lines.join("\n");
}
