import path from "node:path";
import { setImmediate } from "node:timers/promises";
import * as z from "zod";
import { imageHash } from "../../protocol/schema/common.ts";
import type { RatingQueue } from "../../protocol/server.ts";
import { writeJson } from "../base/files.ts";
import { readJsonAs } from "../base/json.ts";
import { compare, seededRank } from "../base/seededRank.ts";
import { ensureLeafDir, type Project } from "../config/project.ts";
import { mostLiveCandidates } from "../selection/studentTable.ts";
import type { Browser } from "../views/browse.ts";
import { chooseToRate } from "./choice.ts";
import type { Before } from "./file.ts";

/** `.leaf/ratings/<config>.json`: what was proposed, and what came of it. */
export interface RatingState {
  v: 1;
  /** Hashes; both lists keep their order when the proposal grows. */
  train: string[];
  test: string[];
  /** Newest last. */
  history: RatingEntry[];
  /** Taken back, perhaps after the MOS were read the last time. */
  takenBack: string[];
  /** How the training images were chosen the last time. */
  selection?: RatingQueue["selection"];
}

export interface RatingEntry {
  hash: string;
  path: string;
  rating: number;
  before: Before;
  rater?: string;
  /** The second rating of an image by this rater. */
  repeat?: boolean;
}

export async function readRatingState(project: Project): Promise<RatingState> {
  const state = await readJsonAs<RatingState>(stateFile(project), stateSchema);
  return state ?? { v: 1, train: [], test: [], history: [], takenBack: [] };
}

const hashes = z.array(imageHash).default([]);
const strategy = z.enum(["random", "quantile", "kcenter", "uncertainty", "combined"]);
const stateSchema = z.object({
  v: z.literal(1).default(1),
  train: hashes,
  test: hashes,
  history: z
    .array(
      z.object({
        hash: imageHash,
        path: z.string(),
        rating: z.number().min(1).max(5),
        before: z
          .union([z.array(z.object({ cells: z.int().min(0), raw: z.string() })), z.string()])
          .nullable(),
        rater: z.string().optional(),
        repeat: z.boolean().optional(),
      }),
    )
    .default([]),
  takenBack: hashes,
  selection: z.object({ asked: strategy, used: strategy, why: z.string().optional() }).optional(),
}) satisfies z.ZodType<RatingState>;

export async function writeRatingState(project: Project, state: RatingState): Promise<void> {
  await ensureLeafDir(project);
  await writeJson(stateFile(project), state);
}

function stateFile(project: Project): string {
  return path.join(project.leaf, "ratings", `${path.basename(project.configFile)}.json`);
}

/** Share of the proposal that is held out; at least three, the least that `evaluate` takes. */
const testShare = 0.4;
const leastTest = 3;

function quotas(count: number): { train: number; test: number } {
  const share = Math.round(testShare * count);
  const test = count >= 2 * leastTest - 1 ? Math.max(leastTest, share) : share;
  return { train: count - test, test };
}

/**
 * Proposes `count` images to rate, never by their MOS: about 60 % of the training split, to calibrate with, chosen as
 * `calibrate.selection` says, and 40 % of the split that is evaluated, always at random, so that it judges fairly. What was
 * proposed before stays, whatever came in since.
 */
export async function growProposal(
  browser: Browser,
  state: RatingState,
  count: number,
): Promise<RatingState> {
  const { project } = browser.context();
  const known = state.train.length + state.test.length;
  if (known >= count) return state;
  const { evaluate, calibrate } = project.config;
  const chosen = calibrate.selection !== "random";
  const most = chosen ? Math.max(count, mostLiveCandidates) : count;
  const best = await firstUnrated(browser, state, most, calibrate.seed);
  const held = evaluate.split === "train" ? [] : best(evaluate.split);
  const wanted = quotas(count);
  const choice = await chooseToRate(
    browser,
    best("train"),
    trainKnown(browser, state),
    count - state.train.length,
  );
  const own = choice.hashes;
  const take = (had: string[], from: string[], most: number) => [
    ...had,
    ...from.slice(0, Math.max(0, most - had.length)),
  ];
  let test = take(state.test, held, wanted.test);
  // What one split cannot give, the other does.
  const train = take(state.train, own, count - test.length);
  test = take(test, held.slice(test.length - state.test.length), count - train.length);
  return { ...state, train, test, ...(chosen ? { selection: choice.how } : {}) };
}

/** Training images that are rated or proposed: what is chosen next complements them. */
function trainKnown(browser: Browser, state: RatingState): string[] {
  const { mos, splitOf } = browser.context();
  const known = new Set(state.train);
  for (const hash of mos.keys()) if (splitOf(hash) === "train") known.add(hash);
  return [...known];
}

const hashesPerSlice = 500;

/** The first `count` images of each split, by seeded rank, that are neither rated nor proposed. */
async function firstUnrated(browser: Browser, state: RatingState, count: number, seed: number) {
  const { sources } = browser;
  const { mos, splitOf } = browser.context();
  const proposed = new Set([...state.train, ...state.test, ...state.history.map((one) => one.hash)]);
  const ranked = new Map<string, { hash: string; rank: string }[]>();
  const prune = (list: { hash: string; rank: string }[]) => {
    list.sort((a, b) => compare(a.rank, b.rank) || compare(a.hash, b.hash));
    list.length = Math.min(list.length, count);
  };
  for (let from = ""; ; ) {
    sources.refresh();
    const rows = sources
      .prepare(
        "SELECT DISTINCT hash FROM dataset.files WHERE hash > ? AND error IS NULL ORDER BY hash LIMIT ?",
      )
      .all(from, hashesPerSlice) as { hash: string }[];
    for (const { hash } of rows) {
      if (proposed.has(hash) || (mos.has(hash) && !state.takenBack.includes(hash))) continue;
      const list = ranked.get(splitOf(hash)) ?? [];
      ranked.set(splitOf(hash), list);
      list.push({ hash, rank: seededRank(seed, "rate", hash) });
      if (list.length > 2 * count + 1000) prune(list);
    }
    if (rows.length < hashesPerSlice) break;
    from = rows.at(-1)!.hash;
    await setImmediate();
  }
  return (split: string): string[] => {
    const list = ranked.get(split) ?? [];
    prune(list);
    return list.map((one) => one.hash);
  };
}

/** The proposal in the order to be rated: another seeded draw, so that the splits mix. */
export function ratingOrder(state: RatingState, seed: number): string[] {
  const ranked = [...state.train, ...state.test].map((hash) => ({
    hash,
    rank: seededRank(seed, "order", hash),
  }));
  return ranked.sort((a, b) => compare(a.rank, b.rank)).map((one) => one.hash);
}

/** So many others at least come between an image and its repetition: nobody is to remember what they gave. */
export const leastBetween = 10;

/**
 * An image that a rater should rate once more, by which test and retest compare: one for every `every` images, drawn by seed from those that
 * are long enough ago. `own`: this rater's ratings, newest last. Undefined while none is due.
 */
export function repeatDue(own: readonly RatingEntry[], every: number, seed: number): string | undefined {
  const [again, once] = [true, false].map((one) => own.filter(({ repeat = false }) => repeat === one));
  if (!(every > 0) || again!.length >= Math.floor(once!.length / every)) return undefined;
  const repeated = new Set(again!.map(({ hash }) => hash));
  const ranked = once!
    .slice(0, -leastBetween)
    .filter(({ hash }) => !repeated.has(hash))
    .map(({ hash }) => ({ hash, rank: seededRank(seed, "repeat", hash) }));
  return ranked.sort((a, b) => compare(a.rank, b.rank))[0]?.hash;
}
