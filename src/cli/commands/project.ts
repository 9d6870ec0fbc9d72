import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { initProject } from "../../engine/config/init.ts";
import { checkProject } from "../../engine/dataset/check.ts";
import { trainingLines } from "../../engine/dataset/training.ts";
import { initExperiment } from "../../engine/experiments/presets.ts";
import { allFailures } from "../../engine/failures/list.ts";
import { cleanStages } from "../../engine/pipeline/clean.ts";
import { listRuns } from "../../engine/pipeline/runs.ts";
import {
  managedEnvironmentDir,
  probeInterpreter,
  resolveInterpreter,
  setUpEnvironment,
  trainsOn,
  trainsOnLine,
  unseenText,
} from "../../engine/python/environment.ts";
import { readyFile } from "../../engine/python/make.ts";
import { probeRay, rayEnvironmentDir, rayInterpreter, setUpRay } from "../../engine/python/ray.ts";
import type { CalibrateResult, EvaluateResult } from "../../protocol/results.ts";
import { bytes, figure } from "../../words/figure.ts";
import { say } from "../../words/text.ts";
import { consented } from "../consent.ts";
import { type CliContext, findProject, table } from "../context.ts";
import { initDemo } from "../demo.ts";
import type { Run } from "../run.ts";

export function addProjectCommands(program: Command, run: Run): void {
  program
    .command("init")
    .description("write a commented leaf.yaml that fits the folder")
    .argument("[folder]", "where", ".")
    .option("--force", "overwrite an existing leaf.yaml")
    .option("--demo", "first make a folder of distorted photos with stand-in scores")
    .option("--experiment <name>", "instead, write NAME.experiment.yaml beside leaf.yaml")
    .action((folder: string, options: { force?: boolean; demo?: boolean; experiment?: string }, command) =>
      run(async (context) => {
        if (options.experiment) {
          const { config } = context.options;
          const made = await initExperiment(config ? path.dirname(config) : folder, options.experiment, {
            base: config && path.basename(config),
            force: options.force,
          });
          context.print(made, `Wrote ${made.file}. Next: \`leaf experiment run ${options.experiment}\`.`);
          return;
        }
        if (options.demo) {
          const result = await initDemo(folder, options.force ?? false, context);
          context.print(
            result,
            `Wrote ${result.file}: ${result.images} images. Next: \`leaf run\` in ${folder}.`,
          );
          return;
        }
        const result = await initProject(folder, { force: options.force ?? false });
        const next = "Next: `leaf check`, then `leaf run`.";
        const told = result.mos
          ? `Human scores: ${result.mos}. ${result.scores ?? ""}`
          : (result.scores ?? "");
        const scores = told && `\n${told.trimEnd()}`;
        context.print(
          result,
          `Wrote ${result.file}: ${result.images} images in ${result.folder}. ${next}${scores}`,
        );
      })(command),
    );
  program
    .command("check")
    .description("read the config, the images and the MOS, and report every problem")
    .option("--quick", "look at the headers of the images only; decode none")
    .action((options: { quick?: boolean }, command) =>
      run(async (context) => {
        const { signal, onProgress } = context;
        const project = await findProject(context);
        const [checked, device] = await Promise.all([
          checkProject(project, { signal, onProgress, quick: options.quick }),
          options.quick ? undefined : trainsOn(project, signal),
        ]);
        const result = { ...checked, ...(device !== undefined && { trainsOn: device }) };
        const lines = [
          `${result.images} images (${result.splits.train} train, ${result.splits.val} val, ${result.splits.test} test), ${result.withMos} with a MOS`,
          ...result.reading,
          ...trainingLines(result.training),
          ...(device === undefined ? [] : [trainsOnLine(device)]),
          ...result.problems.map((problem) => `  ${problem}`),
        ];
        const failed = result.failures && { failed: await allFailures(result.failures) };
        if (result.errors.length === 0) return context.print({ ...result, ...failed }, lines.join("\n"));
        const { length } = result.errors;
        throw new LeafError(
          "input",
          say`${length === 1 ? say`A problem keeps` : say`${length} problems keep`} this project from running: ${result.errors[0]!}`,
          {
            file: project.configFile,
            result: { ...result, ...failed },
            text: lines.join("\n"),
          },
        );
      })(command),
    );
  program
    .command("runs")
    .description("list the runs and their results")
    .option("--experiments", "list the runs of experiments too")
    .option("--all", "with --config, list the runs of the folder's other configs too")
    .action((options: { experiments?: boolean; all?: boolean }, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const own = path.basename(project.configFile);
        const runs = (await listRuns(project)).filter(
          ({ configFile }) => options.all || !context.options.config || configFile === own,
        );
        const shown = runs.filter(({ experiment }) => options.experiments || !experiment);
        const experiments = Map.groupBy(
          runs.filter(({ experiment }) => experiment && !options.experiments),
          ({ experiment }) => experiment!.name,
        );
        const several = new Set(shown.map(({ configFile }) => configFile)).size > 1;
        const rows = shown.map((one) => {
          const metrics = one.stages.evaluate?.result as EvaluateResult | undefined;
          const calibrated = one.stages.calibrate?.result as CalibrateResult | undefined;
          return [
            one.id,
            one.state,
            ...(several ? [one.configFile] : []),
            String(calibrated?.images ?? "–"),
            figure(metrics?.srcc),
            figure(metrics?.plcc),
            one.updated.slice(0, 16),
          ];
        });
        const lines = [
          ...shown.flatMap(({ id, reason }) => (reason ? [`${id}: ${reason}`] : [])),
          ...[...experiments].map(
            ([name, { length }]) =>
              `${length} runs of the experiment ${name}: \`leaf experiment show ${name}\``,
          ),
        ];
        const list = table(
          ["run", "state", ...(several ? ["config"] : []), "MOS", "SRCC", "PLCC", "updated"],
          rows,
        );
        context.print({ runs }, [list, ...lines].join("\n"));
      })(command),
    );
  program
    .command("clean")
    .description("remove stage outputs that no run needs")
    .option("--cache", "also remove decoded tensors and the image index")
    .action((options: { cache?: boolean }, command) =>
      run(async (context) => {
        const result = await cleanStages(await findProject(context), options.cache ?? false);
        const lines = [
          `Removed ${result.removed.length} stage outputs, ${bytes(result.bytes)}.`,
          ...result.kept.map(({ path, reason }) => `Left ${path}: ${reason}.`),
        ];
        context.print(result, lines.join("\n"));
      })(command),
    );
  program
    .command("env")
    .description("set up the Python environment that trains students")
    .option("--check", "only report the interpreter in use")
    .option("--extra <name>", "ray: set up an environment with Ray instead, for --engine ray")
    .action((options: { check?: boolean; extra?: string }, command) =>
      run(async (context) => {
        const { signal, onProgress } = context;
        if (options.extra !== undefined) return setUpExtra(context, options.extra, options.check ?? false);
        const project = context.options.config
          ? await consented(context, await findProject(context), "probe")
          : undefined;
        const configured = project?.config.python.interpreter;
        const named = process.env.LEAF_PYTHON || configured;
        if (!named && !options.check && !existsSync(readyFile(managedEnvironmentDir())))
          context.note(
            "env: installing PyTorch and the trainer's packages (200 MB of downloads on macOS and Windows, 2 to 3 GB with CUDA on Linux)",
          );
        const environment =
          named || options.check
            ? await probeInterpreter(resolveInterpreter(configured, project?.root ?? process.cwd()), signal)
            : await setUpEnvironment({ signal, onProgress });
        const { python, torch, device, deviceName, interpreter } = environment;
        const unseen = unseenText(environment);
        if (unseen) context.note(`warning: ${unseen}`);
        context.print(
          environment,
          `Python ${python}, PyTorch ${torch}, trains on ${device} (${deviceName})\n${interpreter}`,
        );
      })(command),
    );
}

async function setUpExtra(context: CliContext, extra: string, check: boolean): Promise<void> {
  if (extra !== "ray") throw new LeafError("usage", say`--extra takes ray, not ${extra}.`);
  const { signal, onProgress } = context;
  if (!check && !existsSync(readyFile(rayEnvironmentDir())))
    context.note("env: installing Ray (160 MB of downloads)");
  const found = check ? await probeRay(rayInterpreter(), signal) : await setUpRay({ signal, onProgress });
  context.print(found, `Python ${found.python}, Ray ${found.ray}\n${found.interpreter}`);
}
