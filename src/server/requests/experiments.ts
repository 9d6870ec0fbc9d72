import path from "node:path";
import { openExperiment } from "../../engine/experiments/file.ts";
import { formatted } from "../../engine/experiments/formats.ts";
import { statusOfExperiment } from "../../engine/experiments/list.ts";
import { initExperiment, presetNames } from "../../engine/experiments/presets.ts";
import { readResultFile } from "../../engine/experiments/result.ts";
import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";

/** Experiments: files beside a config, run as jobs of that config. */
export function answerExperiments(
  answer: Answer,
  projects: Projects,
  secrets: () => Record<string, string>,
): void {
  answer("leaf/startExperiment", async ({ experiment }) => {
    const { file, base } = await openExperiment(fileOf(experiment));
    if (!projects.all().some((project) => project.file === base)) await projects.touch(base);
    return projects.of(uriOf(base)).start("experiment", secrets(), file);
  });
  answer("leaf/experiment", async ({ experiment }) => {
    const file = fileOf(experiment);
    const { name, done, failed, total, stale, invalid } = await statusOfExperiment(file);
    const result = (await readResultFile(path.dirname(file), name)) ?? null;
    const markdown = result && formatted(result, "markdown");
    return { name, done, failed, total, stale, invalid, markdown, result };
  });
  answer("leaf/experimentPresets", () => presetNames());
  answer("leaf/newExperiment", async ({ config, preset }) => {
    const file = fileOf(config);
    const made = await initExperiment(path.dirname(file), preset, { base: path.basename(file) });
    return { experiment: uriOf(made.file) };
  });
}
