import { LeafError } from "../../engine/base/errors.ts";
import {
  managedEnvironmentDir,
  probeInterpreter,
  resolveInterpreter,
  unseenText,
} from "../../engine/python/environment.ts";
import type { EnvironmentView } from "../../protocol/server.ts";
import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";

const download = "200 MB of downloads on macOS and Windows, 2 to 3 GB with CUDA on Linux";

/** Which Python trains, and what setting one up would take. */
export function answerEnvironment(answer: Answer, projects: Projects): void {
  answer("leaf/environment", async ({ config }, signal): Promise<EnvironmentView> => {
    const project = config ? projects.of(config).project() : undefined;
    const configured = project?.config.python.interpreter;
    try {
      const interpreter = resolveInterpreter(configured, project?.root ?? process.cwd());
      const environment = await probeInterpreter(interpreter, signal);
      const { python, torch, device, deviceName } = environment;
      const unseen = unseenText(environment);
      return {
        ready: true,
        interpreter,
        summary: `Python ${python} · PyTorch ${torch} · ${deviceName || device}${unseen ? `. ${unseen}` : ""}`,
        managed: interpreter.startsWith(managedEnvironmentDir()),
        download,
      };
    } catch (error) {
      if (!(error instanceof LeafError) || (error.code !== "environment" && error.code !== "consent"))
        throw error;
      return {
        ready: false,
        interpreter: process.env.LEAF_PYTHON ?? configured ?? null,
        summary: error.message,
        managed: false,
        download,
      };
    }
  });
}
