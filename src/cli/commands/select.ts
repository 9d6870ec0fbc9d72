import { type Command, Option } from "commander";
import { checkOutputs, writeOutput } from "../../engine/base/outputs.ts";
import { mainColumn } from "../../engine/mos/complete.ts";
import { outputRules } from "../../engine/pipeline/projectInputs.ts";
import { refit } from "../../engine/pipeline/refit.ts";
import { selectImages } from "../../engine/pipeline/select.ts";
import { strategies } from "../../engine/selection/strategies.ts";
import { toCsv } from "../../engine/tables/csvText.ts";
import type { LearningCurve, Refit, SelectionStrategy, SelectResult } from "../../protocol/selection.ts";
import { ceilingText } from "../../words/ceiling.ts";
import { figure, type Range, withInterval } from "../../words/figure.ts";
import { fiveScale, scoreFigure } from "../../words/score.ts";
import { english } from "../../words/translate.ts";
import { findProject, stageOptions } from "../context.ts";
import type { Run } from "../run.ts";
import { wholeNumber } from "../wholeNumber.ts";

interface Options {
  n: string;
  strategy?: SelectionStrategy;
  split?: "train" | "val" | "test";
  all?: boolean;
  out?: string;
  force?: boolean;
}

export function addSelectCommand(program: Command, run: Run): void {
  program
    .command("select")
    .description("list the images that people should rate next, and say whether more ratings help")
    .option("--n <count>", "how many", "50")
    .addOption(
      new Option("--strategy <name>", "how they are chosen (default: calibrate.selection)").choices(
        Object.keys(strategies),
      ),
    )
    .addOption(
      new Option("--split <split>", "of which split; val and test are drawn at random only")
        .choices(["train", "val", "test"])
        .default("train"),
    )
    .option("--all", "also images that have a MOS")
    .option("-o, --out <csv>", "write the list to a file, with an empty column for the ratings")
    .option("--force", "overwrite a file that LEAF did not write")
    .action((options: Options, command) =>
      run(async (context) => {
        const n = wholeNumber("--n", options.n, 0);
        const project = await findProject(context);
        const { strategy, split, all, out, force } = options;
        const rules = await outputRules(project, { force });
        if (out) await checkOutputs([out], rules);
        const result = await selectImages(project, { ...stageOptions(context), n, strategy, split, all });
        if (out) {
          const rows = result.images.map(({ image, predicted }) => [image, predicted, null] as const);
          const header = ["image", "predicted", project.config.mos ? mainColumn(project.config.mos) : "mos"];
          await writeOutput(out, toCsv(header, rows), rules);
        }
        await context.printWithFailures(
          result,
          selectText(result, out, project.config.mos?.range ?? fiveScale),
        );
      })(command),
    );
  program
    .command("refit")
    .description("order unrated images by the closed form of the ratings so far; calibrates nothing")
    .action((_options, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const result = await refit(project, stageOptions(context));
        context.print(result, refitText(result, project.config.mos!.range));
      })(command),
    );
}

function refitText({ ratings, expected, images }: Refit, range: Range): string {
  const lines = images.map(({ image, score, sd }) => `${figure(score)} ± ${figure(sd)}  ${image}`);
  const { srcc, ci95 } = expected;
  const agreement = srcc === null ? "unknown" : ci95 ? withInterval(srcc, ci95) : figure(srcc);
  return [
    ...lines,
    `${images.length} unrated images, best first, on ${range.join("–")}; ${ratings} ratings, expected SRCC ${agreement}`,
  ].join("\n");
}

function selectText(
  { images, strategy, split, pool, curve }: SelectResult,
  out: string | undefined,
  scale: Range,
): string {
  const sampled = pool.considered < pool.images ? `, of a sample of ${pool.considered}` : "";
  const lines = out
    ? [`Wrote ${out}.`]
    : images.map(({ image, predicted }) => `${scoreFigure(predicted, scale).padStart(5)}  ${image}`);
  return [
    ...lines,
    `${images.length} of ${pool.images} ${split} images, by ${strategy}${sampled}`,
    ...(curve ? [curveText(curve)] : []),
    ...(curve?.ceiling ? [ceilingText(english, curve.ceiling)] : []),
  ].join("\n");
}

export function curveText({ ratings, now, next, enough }: LearningCurve): string {
  const advice = enough
    ? "more of the same will hardly help"
    : next.ci95[0] > 0
      ? "more ratings should help"
      : "more ratings may help";
  return `${ratings} ratings so far: expected error ${figure(now)} (RMSE); ${next.ratings} more lower it by ${withInterval(next.gain, next.ci95)}: ${advice}`;
}
