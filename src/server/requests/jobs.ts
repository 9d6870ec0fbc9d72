import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";

/** Starting, stopping and watching stages. */
export function answerJobs(answer: Answer, projects: Projects, secrets: () => Record<string, string>): void {
  answer("leaf/start", ({ config, kind }) => projects.of(config).start(kind, secrets()));
  answer("leaf/stop", async ({ config }) => ({ stopped: await projects.of(config).jobs.stop() }));
  answer("leaf/jobEvents", ({ config }) => {
    const { jobs } = projects.of(config);
    return { job: jobs.snapshot(), events: jobs.events() };
  });
}
