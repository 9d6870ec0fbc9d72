import { excludeImages } from "../../engine/dataset/exclude.ts";
import { rate, ratingQueue } from "../../engine/ratings/ratings.ts";
import { overrulePair, pairs } from "../../engine/views/pairViews.ts";
import type { Refit, SelectResult } from "../../protocol/selection.ts";
import type { Sitting } from "../../protocol/server.ts";
import type { Answer } from "../answers.ts";
import { leafCommand } from "../leafCommand.ts";
import type { Projects } from "../projects.ts";

/** What people say of images and pairs; the project is read again after each word. */
export function answerPeople(answer: Answer, projects: Projects): void {
  answer("leaf/pairs", async ({ config, query }) => pairs(await projects.of(config).browser(), query));
  answer("leaf/overrulePair", async ({ config, a, b, p }) => {
    const project = projects.of(config);
    const row = overrulePair(await project.browser(), a, b, p);
    void project.refresh();
    return row;
  });
  answer("leaf/ratingQueue", async ({ config, count, ...sitting }) =>
    ratingQueue(await projects.of(config).browser(), count, named(sitting)),
  );
  answer("leaf/rate", async ({ config, hash, rating, repeat, ...sitting }) => {
    const project = projects.of(config);
    const queue = await rate(await project.browser(), hash, rating, { repeat, ...named(sitting) });
    void project.refresh();
    return queue;
  });
  answer("leaf/ratingCurve", async ({ config, next }, signal) => {
    const args = ["select", "--n", String(next), "--config", projects.of(config).file];
    return (await leafCommand<SelectResult>(args, signal)).curve;
  });
  answer("leaf/ratingRefit", ({ config }, signal) =>
    leafCommand<Refit>(["refit", "--config", projects.of(config).file], signal),
  );
  answer("leaf/exclude", async ({ config, paths }) => {
    const project = projects.of(config);
    const edited = await excludeImages(project.project(), paths);
    await project.refresh();
    return { edited };
  });
}

/** No name is told as an empty one. */
function named({ rater, ...sitting }: Sitting): Sitting {
  return { ...sitting, rater: rater?.trim() || undefined };
}
