import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { groupMatcher } from "../../engine/dataset/groups.ts";
import { tellFailures } from "../../engine/failures/words.ts";
import { metricsOfFiles } from "../../engine/metrics/metricsOfFiles.ts";
import { type ExportKind, exportKinds, exportTo } from "../../engine/report/export.ts";
import { scorePaths } from "../../engine/scoring/score.ts";
import { toCsv } from "../../engine/tables/csvText.ts";
import { figure, withInterval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { scoreFigure } from "../../words/score.ts";
import { studentWords } from "../../words/student.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, stageOptions } from "../context.ts";
import { t, worded } from "../locale.ts";
import type { Run } from "../run.ts";

export function addDataCommands(program: Command, run: Run): void {
  program
    .command("score")
    .description("score images or folders with this config's student")
    .argument("<paths...>", "images, folders or globs")
    .option("--student <folder>", "an exported student (default: the newest of this config)")
    .option("--csv", "print CSV: image,score, and sd from a student with error bars")
    .option("--strict", "exit 1 if any image could not be scored, not only if all could not")
    .action((paths: string[], options: { student?: string; csv?: boolean; strict?: boolean }, command) =>
      run(async (context) => {
        const project = options.student ? undefined : await findProject(context);
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
        const bars = result.scores.some((s) => s.sd !== undefined);
        const text = options.csv
          ? toCsv(
              bars ? ["image", "score", "sd"] : ["image", "score"],
              result.scores.map((s) => [s.image, s.score, ...(bars ? [s.sd ?? null] : [])]),
            ).trimEnd()
          : result.scores
              .map(
                (s) =>
                  `${scoreFigure(s.score, result.student.scale)}${s.sd === undefined ? "" : ` ± ${scoreFigure(s.sd, result.student.scale)}`}  ${s.image}${s.far ? "  (far)" : ""}`,
              )
              .join("\n");
        context.print(result, text);
        if (options.strict && result.failed.length > 0) process.exitCode = 1;
      })(command),
    );
  program
    .command("metrics")
    .description("SRCC, PLCC, KRCC and RMSE of any two CSV files")
    .requiredOption("--predictions <csv>", "file with columns image and score")
    .requiredOption("--truth <csv>", "file with columns image and mos (or score)")
    .option("--bootstrap <n>", "resamples of the intervals", "1000")
    .option(
      "--group <column>",
      "draw the intervals by groups of images: a column of either file, or a regular expression on the names with one capture group",
    )
    .action((options: { predictions: string; truth: string; bootstrap: string; group?: string }, command) =>
      run(async (context) => {
        const bootstrap = Number(options.bootstrap);
        if (!Number.isInteger(bootstrap) || bootstrap < 0)
          throw new LeafError("usage", say`--bootstrap takes a whole number from 0.`);
        const { group } = options;
        const groupBy = group?.includes("(") ? groupMatcher(group) : group ? { column: group } : undefined;
        const result = await metricsOfFiles(options.predictions, options.truth, bootstrap, groupBy);
        const { n, srcc, plcc, plccLogistic, krcc, rmse, ci95, groups } = result;
        const figures = [
          `n ${n}`,
          `SRCC ${withInterval(srcc, ci95.srcc)}`,
          `PLCC ${withInterval(plcc, ci95.plcc)} (${figure(plccLogistic)} after the logistic fit)`,
          `KRCC ${figure(krcc)}`,
          `RMSE ${figure(rmse)}`,
        ].join(" · ");
        context.print(result, [figures, groupsNote(english, groups)].filter(Boolean).join("\n"));
      })(command),
    );
  program
    .command("export")
    .description("write labels, scores or the student to files")
    .argument("<what>", exportKinds.join(" | "))
    .option("-o, --out <path>", "file (scores) or folder (labels, student)")
    .option("--force", "write over a file that LEAF did not write")
    .action((what: string, options: { out?: string; force?: boolean }, command) =>
      run(async (context) => {
        if (!exportKinds.includes(what as ExportKind))
          throw new LeafError("usage", say`\`leaf export\` takes ${exportKinds.join(", ")}, not ${what}.`);
        const { out, force } = options;
        const result = await exportTo(await findProject(context), what as ExportKind, out, {
          ...stageOptions(context),
          force,
        });
        const by = result.student ? `, from ${studentWords(english, result.student)}` : "";
        await context.printWithFailures(result, `Wrote ${result.files.join(", ")}${by}.`);
      })(command),
    );
}

function farNote(far: number, of: number): string {
  return `${far} of ${of} images are unlike those the student was distilled on (far): do not rely on their scores.`;
}
