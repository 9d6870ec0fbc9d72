import { initProject } from "../../engine/config/init.ts";
import type { Answer } from "../answers.ts";
import { leafCommand } from "../leafCommand.ts";
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
    // Pictures are made in a process of their own: it keeps a core busy for half a minute.
    const { file, images } = await leafCommand<{ file: string; images: number }>(
      ["init", "--demo", fileOf(folder)],
      signal,
    );
    return { config: uriOf(file), images };
  });
}
