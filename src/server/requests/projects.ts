import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { appRoot } from "../../engine/appRoot.ts";
import { LeafError } from "../../engine/errors.ts";
import { initProject } from "../../engine/init.ts";
import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";
import { fileOf, uriOf } from "../uris.ts";

/** Which projects there are, and new ones. */
export function answerProjects(answer: Answer, projects: Projects): void {
  answer("leaf/projects", () => projects.all().map((one) => one.snapshot()));
  answer("leaf/newConfig", async ({ folder }) => {
    const { file, images } = await initProject(fileOf(folder), { force: false });
    await projects.touch(file);
    return { config: uriOf(file), images };
  });
  answer("leaf/newDemo", async ({ folder }, signal) => {
    const { file, images } = await leafCommand<{ file: string; images: number }>(
      ["init", "--demo", fileOf(folder)],
      signal,
    );
    return { config: uriOf(file), images };
  });
}

/** Pictures are made in a process of their own: it keeps a core busy for half a minute. */
async function leafCommand<T>(args: string[], signal: AbortSignal): Promise<T> {
  const cli = path.join(appRoot(), "dist", "cli.js");
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args, "--json"], {
      signal,
      maxBuffer: 64e6,
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
    });
    return JSON.parse(stdout) as T;
  } catch (error) {
    if (signal.aborted) throw new LeafError("cancelled", "Cancelled.");
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : String(error);
    const [message = "", remedy] = said
      .replace(/^leaf: /m, "")
      .split("\n")
      .slice(-2);
    throw new LeafError("failed", message.trim(), { remedy: remedy?.trim() });
  }
}
