import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ScoredMessage, ScoreJob } from "../../protocol/cluster.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { Text } from "../../protocol/text.ts";
import { counted, say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { ensureDir } from "../base/files.ts";
import { waitForLock } from "../base/processLock.ts";
import type { Project } from "../config/project.ts";
import { imageExtensions } from "../images/format.ts";
import { type ChosenStudent, chosenStudent, findPaths } from "../scoring/score.ts";
import { openStudent } from "../student/student.ts";
import { type ClusterOptions, placeOf, startClusterJob } from "./carryOut.ts";

export interface ClusterScores {
  student: ChosenStudent & { stage: string; fingerprint: string };
  out: string;
  scored: number;
  failed: number;
  /** A former run wrote them. */
  known: number;
  seconds: number;
}

export interface ClusterScoreOptions extends ClusterOptions {
  /** Folder or URL of the Parquet files. */
  out: string;
  project?: Project;
  student?: string;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
  onNote?: (message: Text) => void;
}

const isUrl = (name: string) => /^[a-z][a-z0-9+.-]+:\/\//i.test(name);

/**
 * Scores images on a Ray cluster, each as `scorePaths` does, and writes Parquet files; what is written is not scored again. Paths are
 * folders, images, globs, URLs of folders, and Parquet files that name images. Throws LeafErrors.
 */
export async function scoreOnCluster(paths: string[], options: ClusterScoreOptions): Promise<ClusterScores> {
  const { signal, onProgress } = options;
  const chosen = await chosenStudent(options.project, options.student, signal);
  const folder = path.resolve(chosen.folder);
  // Whether it can be used at all is told here, and not by each node.
  const student = await openStudent(folder, { threads: 1 });
  await student.close();
  const { card, fingerprint } = student;
  const out = isUrl(options.out) ? options.out.replace(/\/+$/, "") : path.resolve(options.out);
  const lock = isUrl(out) ? undefined : await holding(out, signal);
  try {
    let scored: ScoredMessage | undefined;
    const { done } = await startClusterJob(
      async (dir): Promise<ScoreJob> => ({
        ...placeOf(options),
        kind: "score",
        out,
        student: folder,
        fingerprint,
        targets: (card.targets ?? []).slice(1).map(({ name }) => name),
        sources: await sourcesOf(paths, dir),
        endings: [...imageExtensions],
      }),
      {
        signal,
        onMessage(message) {
          if (message.type === "scored") scored = message;
          if (message.type === "started")
            options.onNote?.(say`${counted(message.workers)} workers on ${counted(message.nodes)} nodes`);
          if (message.type === "progress")
            onProgress?.({
              stage: "score",
              step: "images",
              done: message.done,
              total: message.total ?? undefined,
              unit: "images",
            });
        },
      },
    );
    await done;
    if (!scored) throw new Error("The cluster's job ended well and told no result.");
    const { scored: good, failed, known, seconds } = scored;
    const result = {
      student: { ...chosen, stage: card.stage, fingerprint },
      out,
      scored: good,
      failed,
      known,
      seconds,
    };
    if (failed > 0 && good + known === 0)
      throw new LeafError("failed", say`None of the ${failed} images could be scored.`, {
        file: out,
        result,
      });
    return result;
  } finally {
    lock?.release();
  }
}

/** Two jobs into one folder would write the same rows twice. */
async function holding(out: string, signal?: AbortSignal) {
  await ensureDir(out);
  const lock = await waitForLock(path.join(out, ".lock"), { signal });
  if (lock) return lock;
  throw new LeafError("usage", say`Another LEAF writes to ${out}.`, { file: out });
}

async function sourcesOf(paths: string[], dir: string): Promise<ScoreJob["sources"]> {
  const sources: ScoreJob["sources"] = [];
  const files: string[] = [];
  for (const given of paths) {
    if (/\.parquet$/i.test(given))
      sources.push({ kind: "table", at: isUrl(given) ? given : await existing(given) });
    else if (isUrl(given)) sources.push({ kind: "url", at: given });
    else files.push(given);
  }
  if (files.length > 0) {
    const list = path.join(dir, "images.jsonl");
    await pipeline(Readable.from(lines(files)), createWriteStream(list));
    sources.push({ kind: "list", at: list });
  }
  return sources;
}

async function* lines(files: string[]): AsyncGenerator<string> {
  for await (const { path: file } of findPaths(files, () => {}))
    yield `${JSON.stringify(path.resolve(file))}\n`;
}

async function existing(file: string): Promise<string> {
  if ((await stat(file).catch(() => undefined))?.isFile()) return path.resolve(file);
  throw new LeafError("usage", say`${file} does not exist.`, { remedy: say`Name images, folders or globs.` });
}
