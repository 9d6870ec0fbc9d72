import { LeafError } from "../../engine/base/errors.ts";
import { openProject } from "../../engine/config/project.ts";
import { openConsent, remember } from "../../engine/consent/needed.ts";
import { openExperiment } from "../../engine/experiments/file.ts";
import { trialsOf } from "../../engine/experiments/trial.ts";
import type { ConsentView } from "../../protocol/consent.ts";
import type { ConsentTarget } from "../../protocol/server.ts";
import { say } from "../../words/text.ts";
import type { Answer } from "../answers.ts";
import { worded } from "../locale.ts";
import type { Projects } from "../projects.ts";
import { experimentFileOf } from "./experiments.ts";

/** What the user is asked before something runs that a config names, and the answer. */
export function answerConsent(answer: Answer, projects: Projects): void {
  const viewOf = async (target: ConsentTarget): Promise<ConsentView> => {
    if ("experiment" in target) {
      const open = await openExperiment(experimentFileOf(target.experiment));
      return openConsent(
        trialsOf(open).map(({ project }) => project),
        "experiment",
      );
    }
    // As it is on the disk: that is what runs.
    return openConsent([await openProject(projects.of(target.config).file)], target.work);
  };
  answer("leaf/consent", async (target) => {
    const { items, ...view } = await viewOf(target);
    return {
      ...view,
      items: items.map((item) => ({
        ...item,
        title: worded(item.words),
        details: item.detailWords.map(worded),
      })),
    };
  });
  answer("leaf/approve", async ({ digests, decision, ...target }) => {
    const { items } = await viewOf(target);
    const seen = items.filter(({ digest }) => digests.includes(digest));
    if (seen.length < items.length)
      throw new LeafError("consent", say`What would run has changed since you looked at it.`, {
        remedy: say`Start it again, and look at it once more.`,
      });
    await remember(seen, decision);
    for (const project of projects.all()) void project.refresh();
    return null;
  });
}
