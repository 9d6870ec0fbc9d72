import { readdir } from "node:fs/promises";
import path from "node:path";
import { inputOf } from "../../engine/pipeline/projectInputs.ts";
import {
  findRun,
  pinRun,
  runConfigText,
  runCurves,
  summariseRuns,
} from "../../engine/pipeline/runSummaries.ts";
import { listRuns, runDir } from "../../engine/pipeline/runs.ts";
import { exportTo } from "../../engine/report/export.ts";
import { evaluationView } from "../../engine/views/evaluationView.ts";
import { say } from "../../words/text.ts";
import type { Answer } from "../answers.ts";
import { leafCommand } from "../leafCommand.ts";
import { worded } from "../locale.ts";
import type { Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";

/** What was run, what came out, and taking it elsewhere. */
export function answerRuns(answer: Answer, projects: Projects): void {
  const projectOf = (config: string) => projects.of(config).project();
  answer("leaf/runs", async ({ config, experiments }) => {
    const project = projectOf(config);
    const records = await listRuns(project);
    // What is not shown is not compared with.
    return summariseRuns(project, experiments ? records : records.filter(({ experiment }) => !experiment));
  });
  answer("leaf/pinRun", async ({ config, run, pinned }) => {
    await pinRun(projectOf(config), run, pinned);
    return null;
  });
  answer("leaf/runFolder", async ({ config, run }) => {
    const project = projectOf(config);
    await findRun(project, run);
    const folder = runDir(project, run);
    const files = await readdir(folder);
    return { folder: uriOf(folder), files: files.map((file) => uriOf(path.join(folder, file))) };
  });
  answer("leaf/runConfig", async ({ config, run }) => ({
    text: await runConfigText(projectOf(config), run),
  }));
  answer("leaf/curves", ({ config, run }) => runCurves(projectOf(config), run));
  answer("leaf/evaluation", async ({ config, run, target }) =>
    evaluationView(await projects.of(config).browser(), run, target),
  );
  // In a process of its own: it decodes pictures and reads all labels.
  answer("leaf/report", async ({ config, run, out, force }, signal) => {
    const { file } = projects.of(config);
    if (run !== undefined) await findRun(projectOf(config), run);
    const args = ["report", ...(run === undefined ? [] : [run]), "--out", fileOf(out), "--config", file];
    if (force) args.push("--force");
    return leafCommand<{ run: string; file: string }>(args, signal);
  });
  answer("leaf/inputAt", async ({ uri }) => {
    if (!uri.startsWith("file:")) return { what: null };
    for (const one of projects.all()) {
      try {
        const what = await inputOf(one.project(), fileOf(uri));
        if (what !== undefined) return { what: worded(what) };
      } catch {
        // Its config is invalid just now: what it reads is not known.
      }
    }
    return { what: null };
  });
  answer("leaf/export", ({ config, what, out, force }, signal) =>
    exportTo(projectOf(config), what, fileOf(out), { signal, force, remedy: say`Choose another name.` }),
  );
}
