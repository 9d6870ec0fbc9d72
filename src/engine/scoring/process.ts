import path from "node:path";
import type { Failure } from "../../protocol/jobs.ts";
import type { Text } from "../../protocol/text.ts";
import { inEnglish, quoted, say } from "../../words/text.ts";
import { errorOf, LeafError, throwIfCancelled } from "../base/errors.ts";
import { type ScorerChild, startScorerChild } from "./child.ts";
import type { Scorer } from "./context.ts";
import type { ScorerReply, ScorerTask } from "./messages.ts";
import type { ImageFile } from "./openedImages.ts";
import type { HeatFiles, PictureSize } from "./pictureFiles.ts";
import { type Lane, type QueuedWork, type Taken, workQueue } from "./queue.ts";
import type { ScoreRow } from "./scores.ts";

export type ScoredRow = ScoreRow;
/** An image's score, or why it has none. */
export type ScoredOrFailed = ScoredRow | { hash: string; reason: string };

export interface ScoreOptions {
  /** `now` overtakes pictures, which overtake the background. */
  priority: "now" | "background";
  signal?: AbortSignal;
  /** Told of every item, in no fixed order. */
  onScored(scored: ScoredOrFailed): void;
}

export interface PictureRequest extends ImageFile {
  /** Where to write it: see pictureFile(). */
  file: string;
  size: PictureSize;
  signal?: AbortSignal;
}

export interface HeatRequest extends ImageFile {
  /** Where to write it: see heatFiles(). */
  files: HeatFiles;
  signal?: AbortSignal;
}

/**
 * One process for all decoding and inference of a server, at low priority, started with the first request and again after a
 * crash; an image that ends it is reported as failed.
 */
export interface ScorerProcess {
  /**
   * Resolves once every item was told of. Rejects with LeafErrors: `input` (no such student), `environment` (the process
   * cannot start), `failed` (it ends again and again), `cancelled`.
   */
  score(scorer: Scorer, items: readonly ImageFile[], options: ScoreOptions): Promise<void>;
  /** Writes a picture and resolves to its path. Rejects as above, and with `input` for an image that cannot be decoded. */
  picture(request: PictureRequest): Promise<string>;
  /** Writes a heat map's files. Rejects as above, and with `input` where the scorer has none. */
  heat(scorer: Scorer, request: HeatRequest): Promise<HeatFiles>;
  /** Loads a scorer, so that its first image need not wait for it. */
  open(scorer: Scorer): Promise<void>;
  close(): Promise<void>;
}

/** Ends of the process in a row, without a finished piece of work between them, after which it is left alone. */
const crashesInARow = 5;
const failedStarts = 3;

/** A request: its pieces of work in order, and whom to tell. */
interface Work extends QueuedWork<ScorerTask> {
  left: number;
  over: boolean;
  onImage(task: ScorerTask, result: ScoreRow | null | Failure): void;
  settle(error?: unknown): void;
}

export function createScorerProcess({ entry }: { entry: string }): ScorerProcess {
  const queue = workQueue<Work>();
  const underWay = new Map<number, Taken<Work>>();
  /** What was under way when the process ended: one of them did it, so each goes by itself. */
  let suspects: Taken<Work>[] = [];
  /** What is under way is a suspect. */
  let alone = false;
  let child: ScorerChild | undefined;
  let nextId = 1;
  let crashes = 0;
  let badStarts = 0;
  let closed = false;

  function pump(): void {
    for (;;) {
      const taken = nextTask();
      if (!taken) break;
      if (taken.work.over) continue;
      const id = nextId++;
      underWay.set(id, taken);
      child ??= startScorerChild(entry, { onReply, onCrash });
      child.send({ id, task: taken.item });
    }
    child?.hold(underWay.size > 0);
  }

  function nextTask(): Taken<Work> | undefined {
    if (underWay.size === 0) {
      const suspect = suspects.shift();
      alone = suspect !== undefined;
      if (suspect) return suspect;
    }
    if (alone) return undefined;
    const counts: Record<Lane, number> = { now: 0, picture: 0, background: 0 };
    for (const { work } of underWay.values()) counts[work.lane]++;
    return queue.take(counts);
  }

  function onReply(reply: ScorerReply): void {
    if ("ready" in reply) {
      badStarts = 0;
      return;
    }
    const taken = underWay.get(reply.id);
    if (!taken) return;
    underWay.delete(reply.id);
    crashes = 0;
    const work = taken.work;
    if (reply.ok) tell(taken, reply.row);
    else if (reply.about === "scorer") end(work, errorOf(reply.failure));
    else tell(taken, reply.failure);
    pump();
  }

  function onCrash({ started, why }: { started: boolean; why: string }): void {
    child = undefined;
    const lost = [...underWay.values()];
    underWay.clear();
    if (!started && ++badStarts >= failedStarts) {
      badStarts = 0;
      giveUp(
        lost,
        new LeafError("environment", say`The scoring process cannot start (${why}).`, {
          remedy: say`Install LEAF again, or look into the log.`,
        }),
      );
    } else if (started && lost.length > 0 && ++crashes >= crashesInARow) {
      crashes = 0;
      giveUp(
        lost,
        new LeafError("failed", say`The scoring process ended ${crashesInARow} times in a row (${why}).`, {
          remedy: say`Run the stage that made the student again, or look into the log.`,
        }),
      );
    } else if (started && alone && lost[0]) {
      tell(lost[0], endedBy(lost[0].item, quoted(why)));
    } else {
      suspects.unshift(...lost);
    }
    pump();
  }

  function giveUp(lost: Taken<Work>[], error: LeafError): void {
    const works = new Set([...[...lost, ...suspects].map(({ work }) => work), ...queue.all()]);
    suspects = [];
    for (const work of works) end(work, error);
  }

  function tell(taken: Taken<Work>, result: ScoreRow | null | Failure): void {
    const work = taken.work;
    if (work.over) return;
    work.left--;
    try {
      work.onImage(taken.item, result);
    } catch (error) {
      end(work, error);
    }
    if (work.left === 0) end(work);
  }

  function end(work: Work, error?: unknown): void {
    if (work.over) return;
    work.over = true;
    queue.drop(work);
    work.settle(error);
  }

  async function run(
    lane: Lane,
    items: ScorerTask[],
    signal: AbortSignal | undefined,
    onImage: Work["onImage"],
  ): Promise<void> {
    throwIfCancelled(signal);
    if (closed) throw new LeafError("cancelled", say`Cancelled.`);
    if (items.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const abort = () => end(work, new LeafError("cancelled", say`Cancelled.`));
      const work: Work = {
        lane,
        items,
        next: 0,
        left: items.length,
        over: false,
        onImage,
        settle(error) {
          signal?.removeEventListener("abort", abort);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      signal?.addEventListener("abort", abort);
      queue.add(work);
      pump();
    });
  }

  return {
    score: (scorer, items, { priority, signal, onScored }) => {
      const { kind, fingerprint, dir } = scorer;
      const key = { kind, fingerprint, dir };
      const tasks = items.map(
        ({ hash, path, maxPixels }): ScorerTask => ({
          do: "score",
          scorer: key,
          image: { hash, path, maxPixels },
        }),
      );
      return run(priority, tasks, signal, (task, result) => {
        if (task.do !== "score") return;
        if (result && "score" in result) onScored(result);
        else onScored({ hash: task.image.hash, reason: result?.message ?? "It has no score." });
      });
    },
    async picture({ hash, path, maxPixels, file, size, signal }) {
      let failure: Failure | undefined;
      const task: ScorerTask = { do: "picture", image: { hash, path, maxPixels }, size, file };
      await run("picture", [task], signal, (_, result) => {
        if (result && "message" in result) failure = { ...result, file: result.file ?? path };
      });
      if (failure) throw thrown(failure);
      return file;
    },
    async heat({ kind, fingerprint, dir }, { hash, path, maxPixels, files, signal }) {
      let failure: Failure | undefined;
      const task: ScorerTask = {
        do: "heat",
        scorer: { kind, fingerprint, dir },
        image: { hash, path, maxPixels },
        files,
      };
      await run("now", [task], signal, (_, result) => {
        if (result && "message" in result) failure = { ...result, file: result.file ?? path };
      });
      if (failure) throw thrown(failure);
      return files;
    },
    async open({ kind, fingerprint, dir }) {
      const task: ScorerTask = { do: "open", scorer: { kind, fingerprint, dir } };
      let failure: Failure | undefined;
      await run("now", [task], undefined, (_, result) => {
        if (result && "message" in result) failure = result;
      });
      if (failure) throw thrown(failure);
    },
    async close() {
      closed = true;
      const stopped = child?.kill();
      giveUp([...underWay.values()], new LeafError("cancelled", say`Cancelled.`));
      underWay.clear();
      await stopped;
    },
  };
}

function endedBy(task: ScorerTask, why: Text): Failure {
  const message =
    task.do === "open"
      ? say`The student ended the scoring process (${why}).`
      : say`${path.basename(task.image.path)}: it ended the scoring process (${why}).`;
  return { code: "input", message: inEnglish(message), words: { message } };
}

/** What is no LeafError over there is none here. */
function thrown(failure: Failure): Error {
  return failure.code === "internal" ? new Error(failure.message) : errorOf(failure);
}
