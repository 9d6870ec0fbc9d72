import { existsSync } from "node:fs";
import path from "node:path";
import type { RatingQueue, Sitting } from "../../protocol/server.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { withRatingsFile } from "../config/edit.ts";
import { editConfigFile } from "../config/editFile.ts";
import type { Project } from "../config/project.ts";
import { loadConfig } from "../config/read.ts";
import type { Browser } from "../views/browse.ts";
import { type RatingsConfig, ratingFacts, takeRatingBack, writeRating } from "./file.ts";
import {
  growProposal,
  type RatingState,
  ratingOrder,
  readRatingState,
  repeatDue,
  writeRatingState,
} from "./proposal.ts";

const writing = new Map<string, Promise<unknown>>();

/** One after the other for each config: two ratings in quick succession must not overwrite each other. */
function inTurn<T>(project: Project, work: () => Promise<T>): Promise<T> {
  const before = writing.get(project.configFile) ?? Promise.resolve();
  const turn = before.then(work, work);
  const settled = turn.catch(() => {});
  writing.set(project.configFile, settled);
  void settled.then(() => {
    if (writing.get(project.configFile) === settled) writing.delete(project.configFile);
  });
  return turn;
}

/**
 * What a person should rate: a proposal that stays as it is until more are asked for than it holds, ratings of earlier
 * sittings among them.
 */
export function ratingQueue(browser: Browser, count: number, sitting: Sitting = {}): Promise<RatingQueue> {
  return inTurn(browser.project, async () => {
    const state = await readRatingState(browser.project);
    const grown = await growProposal(browser, state, Math.max(0, Math.min(count, mostProposed)));
    if (grown !== state) await writeRatingState(browser.project, grown);
    return queueOf(browser, grown, await namedRatings(browser.project), sitting);
  });
}

const mostProposed = 10_000;

/**
 * Writes a rating (1..5, mapped onto the range of the MOS) to the MOS file at once, or takes it back with null. A config that
 * names no MOS file gets one, all of whose training images calibrate. Where a rater is named, a new file holds single ratings with rater
 * and time, from which `readMos` makes the MOS; in such a file nobody writes over the rating of another. `repeat`: the second
 * rating of an image by this rater. Throws LeafErrors `usage`, `config`, `input`, `failed`.
 */
export function rate(
  browser: Browser,
  hash: string,
  rating: number | null,
  { repeat = false, ...sitting }: Sitting & { repeat?: boolean } = {},
): Promise<RatingQueue> {
  const { rater } = sitting;
  return inTurn(browser.project, async () => {
    if (rating !== null && !(rating >= 1 && rating <= 5))
      throw new LeafError("usage", say`A rating is between 1 and 5, not ${rating}.`);
    const { project } = browser;
    const image = browser.row(hash);
    if (!image) throw new LeafError("input", say`This image is not in the project any more.`);
    const state = await readRatingState(project);
    const by = rater === undefined ? undefined : { rater, time: Date.now(), repeat };
    const named = await namedRatings(project);
    // Where the file has one score an image, it is the same one whoever rates.
    const isOwn = (one: RatingState["history"][number]) =>
      one.hash === hash &&
      (named?.rater === undefined || (one.rater === rater && (one.repeat ?? false) === repeat));
    const earlier = state.history.find(isOwn);
    const history = state.history.filter((one) => !isOwn(one));
    const takenBack = state.takenBack.filter((one) => one !== hash);
    let mos = named;
    let next: RatingState;
    if (rating === null) {
      // Where it is not known what stood there, the row stays: it may be older than the rating.
      if (mos) await takeRatingBack(project, mos, hash, earlier ? earlier.before : "", by);
      next = { ...state, history, takenBack: repeat ? state.takenBack : [...takenBack, hash] };
    } else {
      mos ??= freeRatings(project, rater);
      const before = await writeRating(project, mos, image, rating, by);
      // Not before the file is there: a config that names a missing one is broken.
      if (!named) await nameRatings(project, mos);
      // A change of mind is taken back to what stood before the first rating.
      const entry = {
        hash,
        path: image.path,
        rating,
        before: earlier ? earlier.before : before,
        ...(rater !== undefined && { rater }),
        ...(repeat && { repeat }),
      };
      next = { ...state, history: [...history, entry], takenBack };
    }
    await writeRatingState(project, next);
    return queueOf(browser, next, mos, sitting);
  });
}

/** The MOS file that the config names now, which the context may not know yet. */
async function namedRatings({ configFile }: Project): Promise<RatingsConfig | undefined> {
  return (await loadConfig(configFile)).mos;
}

/** A file beside the config that does not exist yet: of scores, or of single ratings where it is known who rates. */
function freeRatings({ root }: Project, rater?: string): RatingsConfig {
  const stem = rater === undefined ? "mos" : "ratings";
  for (let i = 1; ; i++) {
    const file = i === 1 ? `${stem}.csv` : `${stem}-${i}.csv`;
    if (existsSync(path.join(root, file))) continue;
    const columns = rater === undefined ? { score: "mos" } : { score: "rating", rater: "rater" };
    return { file, image: "image", ...columns, range: [1, 5], lowerIsBetter: false };
  }
}

async function nameRatings({ configFile }: Project, mos: RatingsConfig): Promise<void> {
  await editConfigFile(configFile, (text) => withRatingsFile(text, configFile, mos));
}

async function queueOf(
  browser: Browser,
  state: RatingState,
  named: RatingsConfig | undefined,
  { rater, repeatEvery = 0 }: Sitting,
): Promise<RatingQueue> {
  const { project, mos } = browser.context();
  const { seed } = project.config.calibrate;
  const own = state.history.filter((one) => named?.rater === undefined || one.rater === rater);
  const rated = new Set(own.map((one) => one.hash));
  // What somebody else has rated is still to be rated by this one: so it gets several opinions.
  const others = new Set(state.history.filter((one) => !own.includes(one)).map((one) => one.hash));
  const takenBack = new Set(state.takenBack);
  const open = ratingOrder(state, seed).filter(
    (hash) => !rated.has(hash) && (!mos.has(hash) || takenBack.has(hash) || others.has(hash)),
  );
  const due = named?.rater === undefined ? undefined : repeatDue(own, repeatEvery, seed);
  const repeat = due && browser.row(due);
  const file = named ?? freeRatings(project, rater);
  const facts = named ? await ratingFacts(project, named, rater) : { total: 0 };
  return {
    images: open.flatMap((hash) => browser.row(hash) ?? []),
    ...(repeat && { repeat }),
    rated: own.map(({ hash, path, rating, repeat }) => ({ hash, path, rating, ...(repeat && { repeat }) })),
    proposed: { train: state.train.length, test: state.test.length },
    ...(state.selection ? { selection: state.selection } : {}),
    file: file.file,
    total: facts?.total ?? mos.size,
    rater: named && named.rater === undefined ? null : (rater ?? ""),
    ...(facts?.retest && { retest: facts.retest }),
  };
}
