import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { openProject } from "../../engine/config/project.ts";
import { comparedTable, compareRuns, type RunPlace } from "../../engine/experiments/compareRuns.ts";
import { openExperiment } from "../../engine/experiments/file.ts";
import { type Format, formats, formatted, tableAs } from "../../engine/experiments/formats.ts";
import { listExperiments } from "../../engine/experiments/list.ts";
import { experimentKey, readResultFile } from "../../engine/experiments/result.ts";
import { runExperiment } from "../../engine/experiments/run.ts";
import { trialsOf } from "../../engine/experiments/trial.ts";
import { reportedRun } from "../../engine/report/collect.ts";
import type { ExperimentResult } from "../../protocol/experiments.ts";
import { figure } from "../../words/figure.ts";
import { render, say } from "../../words/text.ts";
import { consented } from "../consent.ts";
import { type CliContext, findProject, table } from "../context.ts";
import { t, worded } from "../locale.ts";
import type { Run } from "../run.ts";
import { wholeNumber } from "../wholeNumber.ts";

export function addExperimentCommand(program: Command, run: Run): void {
  addCompareCommand(program, run);
  const experiment = program
    .command("experiment")
    .description("run and compare the variants that an *.experiment.yaml names");
  const command = (name: string, description: string) => experiment.command(name).description(description);
  const formatOption = ["--format <format>", formats.join(" | "), "text"] as const;

  command("run", "run what is missing, then print the table")
    .argument("<file>", "NAME.experiment.yaml, or its NAME")
    .option("--jobs <n>", "trainings at the same time (default: by cores, 1 on a GPU)")
    .option(...formatOption)
    .action((file: string, options: { jobs?: string; format: string }, command) =>
      run(async (context) => {
        const format = formatOf(options.format);
        const jobs = jobsOf(options.jobs);
        const open = await openExperiment(named(file));
        const { signal, onProgress, note } = context;
        const [first, ...others] = trialsOf(open).map(({ project }) => project);
        if (first) await consented(context, first, "experiment", others);
        const result = await runExperiment(open, {
          signal,
          jobs,
          onProgress,
          onWarning: (message) => note(t("warning: {0}", worded(message))),
          onTrial: ({ cell, seed, result }, done, total) => {
            const found = result.metrics
              ? `SRCC ${figure(result.metrics.srcc)} · PLCC ${figure(result.metrics.plcc)}`
              : `failed: ${render(result.reason ?? "", t)}`;
            note(`${done} of ${total}: ${cell.name}, seed ${seed}: ${found}`);
          },
        });
        show(context, result, format);
        if (result.done === 0) process.exitCode = 1;
      })(command),
    );
  command("show", "print the table of the last run")
    .argument("<file>", "NAME.experiment.yaml, or its NAME")
    .option(...formatOption)
    .action((file: string, options: { format: string }, command) =>
      run(async (context) => {
        const format = formatOf(options.format);
        const open = await openExperiment(named(file));
        const result = await readResultFile(path.dirname(open.file), open.name);
        if (!result)
          throw new LeafError("failed", say`${path.basename(open.file)} has not been run yet.`, {
            remedy: say`Run \`leaf experiment run ${open.name}\`.`,
          });
        if (result.key !== experimentKey(open))
          context.note("warning: the experiment or its base config has changed since this result.");
        show(context, result, format);
      })(command),
    );
  command("list", "the experiments of a folder and how far they are")
    .argument("[folder]", "where", ".")
    .action((folder: string, _options, command) =>
      run(async (context) => {
        const experiments = await listExperiments(folder);
        const rows = experiments.map((one) => [
          one.name,
          one.invalid ?? `${one.done} of ${one.total} done${one.failed > 0 ? `, ${one.failed} failed` : ""}`,
          one.stale ? "the file has changed since its last result" : "",
          one.updated?.slice(0, 16) ?? "–",
        ]);
        context.print({ experiments }, table(["experiment", "trainings", "", "updated"], rows));
      })(command),
    );
}

function addCompareCommand(program: Command, run: Run): void {
  program
    .command("compare")
    .description("whether one student is better than another: a paired test on the same held-out images")
    .argument("<a>", "a run (`leaf runs`), or a config: its newest run")
    .argument("<b>", "the other")
    .option("--bootstrap <n>", "resamples of the test", "2000")
    .option("--format <format>", formats.join(" | "), "text")
    .action((a: string, b: string, options: { bootstrap: string; format: string }, command) =>
      run(async (context) => {
        const format = formatOf(options.format);
        const bootstrap = wholeNumber("--bootstrap", options.bootstrap, 100);
        const { signal } = context;
        const places = [await placeOf(context, a), await placeOf(context, b)] as const;
        const result = await compareRuns(...places, { bootstrap, signal });
        const text =
          format === "json" ? JSON.stringify(result, null, 2) : tableAs(comparedTable(result), format);
        context.print(result, text);
      })(command),
    );
}

/** A run of the config in this folder by its id, or the newest run of another config. */
async function placeOf(context: CliContext, name: string): Promise<RunPlace> {
  const isConfig = /\.ya?ml$/i.test(name);
  const project = isConfig ? await openProject(name) : await findProject(context);
  return { name, project, run: await reportedRun(project, isConfig ? undefined : name) };
}

function show(context: CliContext, result: ExperimentResult, format: Format): void {
  context.print(result, formatted(result, format));
}

/** `ratio` stands for `ratio.experiment.yaml` where there is such a file. */
export function named(file: string): string {
  const whole = `${file}.experiment.yaml`;
  return !existsSync(file) && existsSync(whole) ? whole : file;
}

function formatOf(format: string): Format {
  if ((formats as readonly string[]).includes(format)) return format as Format;
  throw new LeafError("usage", say`--format takes ${formats.join(", ")}, not ${format}.`);
}

function jobsOf(jobs: string | undefined): number | undefined {
  return jobs === undefined ? undefined : wholeNumber("--jobs", jobs, 1, 64);
}
