import type { DryRun } from "../../protocol/preview.ts";
import type { TeacherReliability } from "../../protocol/reliability.ts";
import type { Answer } from "../answers.ts";
import { dryRunMarkdown } from "../dryRunMarkdown.ts";
import { leafCommand } from "../leafCommand.ts";
import type { Projects } from "../projects.ts";
import type { KeysFor } from "./keys.ts";

/** What a teacher is asked and answers, before a whole labelling is started. */
export function answerTeacher(answer: Answer, projects: Projects, keysFor: KeysFor): void {
  answer("leaf/dryRun", async ({ config, images, member }, signal) => {
    const live = projects.of(config);
    const { file } = live;
    const args = ["label", "--dry-run", String(images), "--config", file];
    if (member !== undefined) args.push("--member", String(member));
    return { markdown: dryRunMarkdown(await leafCommand<DryRun>(args, signal, keysFor([live.project()]))) };
  });
  // In a process of its own: it reads all labels and fits, which takes seconds.
  answer("leaf/reliability", ({ config, by }, signal) => {
    const args = ["reliability", "--config", projects.of(config).file, ...(by ? ["--by", by] : [])];
    return leafCommand<TeacherReliability>(args, signal);
  });
}
