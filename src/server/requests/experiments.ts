import path from "node:path";
import { LeafError } from "../../engine/base/errors.ts";
import { experimentName, isExperimentFile, openExperiment } from "../../engine/experiments/file.ts";
import { formatted } from "../../engine/experiments/formats.ts";
import { listExperiments, statusOfExperiment } from "../../engine/experiments/list.ts";
import { initExperiment, presetNames } from "../../engine/experiments/presets.ts";
import { readResultFile } from "../../engine/experiments/result.ts";
import { trialsOf } from "../../engine/experiments/trial.ts";
import { say } from "../../words/text.ts";
import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";
import type { KeysFor } from "./keys.ts";

/** Experiments: files beside a config, run as jobs of that config. */
export function answerExperiments(answer: Answer, projects: Projects, keysFor: KeysFor): void {
  answer("leaf/startExperiment", async ({ experiment }) => {
    const open = await openExperiment(experimentFileOf(experiment));
    const { file, base } = open;
    if (!projects.all().some((project) => project.file === base)) await projects.touch(base);
    return projects
      .of(uriOf(base))
      .start("experiment", keysFor(trialsOf(open).map(({ project }) => project)), { experiment: file });
  });
  answer("leaf/experiment", async ({ experiment }) => {
    const file = experimentFileOf(experiment);
    const { name, done, failed, total, stale, invalid } = await statusOfExperiment(file);
    const result = (await readResultFile(path.dirname(file), name)) ?? null;
    const markdown = result && formatted(result, "markdown");
    return { name, done, failed, total, stale, invalid, markdown, result };
  });
  answer("leaf/experiments", async ({ config }) => {
    const file = fileOf(config);
    const all = await listExperiments(path.dirname(file));
    return all
      .filter(({ base }) => base === null || base === path.basename(file))
      .map(({ file: name, base: _, ...rest }) => ({
        experiment: uriOf(path.join(path.dirname(file), name)),
        ...rest,
      }));
  });
  answer("leaf/experimentText", async ({ experiment, format }) => {
    const file = experimentFileOf(experiment);
    const result = await readResultFile(path.dirname(file), experimentName(file));
    if (!result)
      throw new LeafError("input", say`${path.basename(file)} has not been run yet.`, {
        remedy: say`Run the experiment first.`,
      });
    return { text: `${formatted(result, format)}\n` };
  });
  answer("leaf/experimentPresets", () => presetNames());
  answer("leaf/newExperiment", async ({ config, preset }) => {
    const file = fileOf(config);
    const made = await initExperiment(path.dirname(file), preset, { base: path.basename(file) });
    return { experiment: uriOf(made.file) };
  });
}

export function experimentFileOf(uri: string): string {
  const file = fileOf(uri);
  if (isExperimentFile(file)) return file;
  throw new LeafError("input", say`${path.basename(file)} is no experiment.`, {
    remedy: say`Name a file that ends in .experiment.yaml.`,
  });
}
