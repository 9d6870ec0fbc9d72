import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { groupMatcher } from "../../engine/dataset/groups.ts";
import { type MetricsOfFilesOptions, metricsOfFiles } from "../../engine/dataset/metricsOfFiles.ts";
import { comparedTable } from "../../engine/experiments/compareRuns.ts";
import { partsTable } from "../../engine/experiments/evaluationTable.ts";
import { tableAs } from "../../engine/experiments/formats.ts";
import { tellFailures } from "../../engine/failures/words.ts";
import { mosFormatNames } from "../../engine/mos/formats.ts";
import { type ExportKind, exportKinds, exportTo } from "../../engine/report/export.ts";
import { scorePaths, scoreTable } from "../../engine/scoring/score.ts";
import { toCsv } from "../../engine/tables/csvText.ts";
import { ceilingText } from "../../words/ceiling.ts";
import { figure, withInterval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { scoreFigure, spread } from "../../words/score.ts";
import { studentWords } from "../../words/student.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, stageOptions } from "../context.ts";
import { t, worded } from "../locale.ts";
import { onRay, type RayArguments, scoreOnRay } from "../rayEngine.ts";
import type { Run } from "../run.ts";
import { scoreStandardInput } from "../scoreLines.ts";
import { wholeNumber } from "../wholeNumber.ts";

export function addDataCommands(program: Command, run: Run): void {
  program
    .command("score")
    .description("score images or folders with this config's student")
    .argument("<paths...>", "images, folders or globs; `-` reads paths from standard input, one a line")
    .option(
      "--student <folder>",
      "an exported student, by its folder or URL (default: the newest of this config)",
    )
    .option(
      "--csv",
      "print CSV: image,score, sd from a student with error bars, and the same of each further target",
    )
    .option("--strict", "exit 1 if any image could not be scored, not only if all could not")
    .option("--threads <n>", "with `-`: threads that the network takes (default: one a core)")
    .option("--engine <name>", "local, or ray: score on a Ray cluster, into Parquet files", "local")
    .option(
      "-o, --out <folder>",
      "ray: folder or URL of the Parquet files; what they hold is not scored again",
    )
    .option(
      "--address <address>",
      "ray: a cluster that runs (default: one on this machine, for this command)",
    )
    .option("--workers <n>", "ray: processes that score at once (default: as many as have room)")
    .option("--worker-cpus <n>", "ray: processors of each worker", "1")
    .action((paths: string[], options: ScoreArguments, command) =>
      run(async (context) => {
        const project = options.student ? undefined : await findProject(context);
        if (onRay(options)) return scoreOnRay(context, project, paths, options);
        if (options.out !== undefined)
          throw new LeafError("usage", say`--out goes with --engine ray.`, {
            remedy: say`\`leaf export scores\` writes a table.`,
          });
        const threads =
          options.threads === undefined ? undefined : wholeNumber("--threads", options.threads, 1, 1024);
        if (paths.includes("-")) return scoreStandardInput(context, project, { paths, ...options, threads });
        const result = await scorePaths(paths, {
          project,
          student: options.student,
          signal: context.signal,
          onProgress: context.onProgress,
        });
        tellFailures(result.failures, "score", (message) => context.note(t("warning: {0}", worded(message))));
        for (const { image, note } of result.notes) context.note(`warning: ${image}: ${note}`);
        context.note(`Scored by ${studentWords(english, result.student)}.`);
        if (result.far) context.note(farNote(result.far, result.scores.length));
        const table = scoreTable(result);
        const { scale, targets = [] } = result.student;
        const text = options.csv
          ? toCsv(table.header, table.rows).trimEnd()
          : result.scores
              .map((one) => {
                const beside = targets.slice(1).map(({ name, scale: own }) => {
                  const said = one.targets?.[name];
                  return `  ${name} ${scoreFigure(said?.score, own)}${spread(said?.sd, own)}`;
                });
                const main = scoreFigure(one.score, scale) + spread(one.sd, scale);
                return `${main}${beside.join("")}  ${one.image}${one.far ? "  (far)" : ""}`;
              })
              .join("\n");
        context.print(result, text);
        if (options.strict && result.failed.length > 0) process.exitCode = 1;
      })(command),
    );
  program
    .command("metrics")
    .description("compute SRCC, PLCC, KRCC and RMSE of two tables of any format that `mos.file` can have")
    .requiredOption(
      "--predictions <file>",
      "table with names of images and scores, such as `leaf score --csv` prints",
    )
    .requiredOption(
      "--truth <file>",
      "table with names of images and human scores: MOS, single ratings or votes",
    )
    .option("--image <column>", "column of the truth with the names")
    .option("--score <column>", "column of the truth with the scores")
    .option("--format <name>", "layout of the truth, as in `mos.format`")
    .option("--range <lowest,highest>", "range of the truth; LEAF leaves out scores beyond it")
    .option("--predicted-image <column>", "column of the predictions with the names")
    .option("--predicted-score <column>", "column of the predictions with the scores")
    .option(
      "--lower-is-better <which>",
      "where the lowest score is the best: `predictions`, `truth` or `both`",
    )
    .option("--bootstrap <n>", "resamples of the intervals", "1000")
    .option("--parts", "also by the grade of the truth and, with --group, within groups")
    .option("--against <file>", "other predictions: a paired test of both on the images of all three files")
    .option("--table <format>", "how these tables are printed: text, markdown, latex or csv", "text")
    .option(
      "--group <column>",
      "draw the intervals by groups of images: a column of either file, or a regular expression on the names with one capture group",
    )
    .action((options: MetricsArguments, command) =>
      run(async (context) => {
        const { group } = options;
        const format = tableFormat(options.table);
        const result = await metricsOfFiles(options.predictions, options.truth, {
          ...metricsOptions(options),
          groupBy: group?.includes("(") ? groupMatcher(group) : group ? { column: group } : undefined,
          against: options.against,
          onNote: (note) => context.note(t("warning: {0}", worded(note))),
        });
        const { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, groups, images, ceiling, against } = result;
        const figures = [
          `n ${n}`,
          `SRCC ${withInterval(srcc, ci95.srcc)}`,
          `PLCC ${withInterval(plcc, ci95.plcc)} (${figure(plccLogistic)} after the logistic fit)`,
          `KRCC ${figure(krcc)}`,
          `RMSE ${figure(rmse)}`,
        ].join(" · ");
        const lines = [
          figures,
          groupsNote(english, groups),
          `${n} images are in both files: of ${images.predictions} predicted and ${images.truth} rated ones.`,
          ceiling ? ceilingText(t, ceiling) : "",
        ];
        const tables = [
          ...(options.parts ? [partsTable(result.breakdown)] : []),
          ...(against ? [comparedTable({ ...compared(options), n, groups, metrics: against })] : []),
        ].map((one) => tableAs(one, format));
        context.print(result, [lines.filter(Boolean).join("\n"), ...tables].join("\n\n"));
      })(command),
    );
  program
    .command("export")
    .description("write labels, scores, the student or tasks for Label Studio to files")
    .argument("<what>", exportKinds.join(" | "))
    .option("-o, --out <path>", "file (scores, tasks), folder (labels, student) or https or s3 URL (student)")
    .option("--int8", "student: in 8-bit integers, if it then ranks your images as before")
    .option("--prefix <text>", "tasks: text before each image's path (default: /data/local-files/?d=)")
    .option("--force", "overwrite a file that LEAF did not write")
    .action(
      (what: string, options: { out?: string; int8?: boolean; prefix?: string; force?: boolean }, command) =>
        run(async (context) => {
          if (!exportKinds.includes(what as ExportKind))
            throw new LeafError("usage", say`\`leaf export\` takes ${exportKinds.join(", ")}, not ${what}.`);
          const { out, int8, prefix, force } = options;
          if (int8 && what !== "student")
            throw new LeafError("usage", say`--int8 is for \`leaf export student\`.`);
          const result = await exportTo(await findProject(context), what as ExportKind, out, {
            ...stageOptions(context),
            int8,
            prefix,
            force,
          });
          const by = result.student ? `, from ${studentWords(english, result.student)}` : "";
          await context.printWithFailures(result, `Wrote ${result.files.join(", ")}${by}.`);
          if (result.sha256) context.note(`Its checksum, for --student URL#…: sha256=${result.sha256}`);
        })(command),
    );
}

interface ScoreArguments extends RayArguments {
  student?: string;
  csv?: boolean;
  strict?: boolean;
  threads?: string;
  out?: string;
}

interface MetricsArguments {
  predictions: string;
  truth: string;
  image?: string;
  score?: string;
  format?: string;
  range?: string;
  predictedImage?: string;
  predictedScore?: string;
  lowerIsBetter?: string;
  bootstrap: string;
  group?: string;
  parts?: boolean;
  against?: string;
  table: string;
}

const compared = ({ predictions, against, bootstrap }: MetricsArguments) => ({
  a: predictions,
  b: against!,
  bootstrap: Number(bootstrap),
  otherMos: 0,
});

function tableFormat(format: string): "text" | "markdown" | "latex" | "csv" {
  if (format === "text" || format === "markdown" || format === "latex" || format === "csv") return format;
  throw new LeafError("usage", say`--table takes text, markdown, latex or csv, not ${format}.`);
}

function metricsOptions(given: MetricsArguments): MetricsOfFilesOptions {
  const bootstrap = wholeNumber("--bootstrap", given.bootstrap, 0);
  if (given.against !== undefined && bootstrap < 100)
    throw new LeafError("usage", say`--against needs 100 resamples or more (--bootstrap).`);
  const { format, lowerIsBetter } = given;
  const known = mosFormatNames.find((name) => name === format);
  if (format !== undefined && !known)
    throw new LeafError("usage", say`--format takes ${mosFormatNames.join(", ")}, not ${format}.`);
  if (lowerIsBetter !== undefined && !["predictions", "truth", "both"].includes(lowerIsBetter))
    throw new LeafError(
      "usage",
      say`--lower-is-better takes predictions, truth or both, not ${lowerIsBetter}.`,
    );
  const isLower = (which: string) =>
    lowerIsBetter === undefined ? {} : { lowerIsBetter: [which, "both"].includes(lowerIsBetter) };
  return {
    bootstrap,
    predictions: {
      ...(given.predictedImage ? { image: given.predictedImage } : {}),
      ...(given.predictedScore ? { score: given.predictedScore } : {}),
      ...isLower("predictions"),
    },
    truth: {
      ...(given.image ? { image: given.image } : {}),
      ...(given.score ? { score: given.score } : {}),
      ...(known ? { format: known } : {}),
      ...(given.range === undefined ? {} : { range: rangeOf(given.range) }),
      ...isLower("truth"),
    },
  };
}

function rangeOf(text: string): [number, number] {
  const [low, high, ...more] = text.split(",").map(Number);
  if (low === undefined || high === undefined || more.length > 0 || !(low < high))
    throw new LeafError("usage", say`--range takes the lowest and the highest score, such as 1,5.`);
  return [low, high];
}

function farNote(far: number, of: number): string {
  return `${far} of ${of} images are unlike those the student was distilled on (far): do not rely on their scores.`;
}
