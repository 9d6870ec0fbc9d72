import type { RatingQueue } from "../../protocol/server.ts";
import { runsOf } from "../pipeline/currentStudent.ts";
import { listRuns } from "../pipeline/runs.ts";
import { isFinished } from "../pipeline/stage.ts";
import { takeChoices } from "../selection/strategies.ts";
import { candidatesOf, knownStudentTable, mostLiveCandidates } from "../selection/studentTable.ts";
import type { Browser } from "../views/browse.ts";

export interface RatingChoice {
  hashes: string[];
  how: NonNullable<RatingQueue["selection"]>;
}

/**
 * Which of `pool` (training images, in seeded order) to rate next by `calibrate.selection`, with the features that the distilled
 * student has left; nothing is computed here. Falls back to the seeded order, and says why.
 */
export async function chooseToRate(
  browser: Browser,
  pool: readonly string[],
  already: readonly string[],
  count: number,
): Promise<RatingChoice> {
  const { project, teacher } = browser.context();
  const { selection, seed } = project.config.calibrate;
  const random = (why?: string): RatingChoice => ({
    hashes: pool.slice(0, count),
    how: { asked: selection, used: "random", ...(why === undefined ? {} : { why }) },
  });
  if (selection === "random" || count <= 0) return random();
  const student = await newestDistilled(browser);
  if (!student) return random("there is no distilled student yet");
  const considered = pool.slice(0, mostLiveCandidates);
  const open = new Set(considered);
  // A rating that was taken back is both.
  const settled = already.filter((hash) => !open.has(hash)).slice(0, mostLiveCandidates);
  const { table } = knownStudentTable(project, `distill-${student}`, [...considered, ...settled].sort());
  const seen = table.hashes.filter((hash) => open.has(hash)).length;
  // Images that came after the student was distilled are left for the next time.
  if (seen < Math.max(count, considered.length / 2))
    return random("the distilled student has not looked at these images yet");
  const candidates = candidatesOf(project, teacher, table, seed, settled);
  const positions = await takeChoices(selection, candidates, count);
  return { hashes: positions.map((i) => table.hashes[i]!), how: { asked: selection, used: selection } };
}

/** Key of the newest finished distilled student of this config. */
async function newestDistilled({ project }: Browser): Promise<string | undefined> {
  const keys = runsOf(project, await listRuns(project)).flatMap((run) => run.stages.distill?.key ?? []);
  return keys.find((key) => isFinished(project, "distill", key));
}
