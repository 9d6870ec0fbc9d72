import type { Answer } from "../answers.ts";
import type { Projects } from "../projects.ts";
import type { KeysFor } from "./keys.ts";

/** Starting, stopping and watching stages. */
export function answerJobs(answer: Answer, projects: Projects, keysFor: KeysFor): void {
  answer("leaf/start", ({ config, kind, onCluster }) => {
    const project = projects.of(config);
    return project.start(kind, keysFor([project.project()]), { onCluster });
  });
  answer("leaf/stop", async ({ config }) => ({ stopped: await projects.of(config).jobs.stop() }));
  answer("leaf/jobEvents", ({ config }) => {
    const { jobs } = projects.of(config);
    return { job: jobs.snapshot(), events: jobs.events() };
  });
}
