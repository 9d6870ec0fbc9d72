import "../base/noTelemetry.ts";
import os from "node:os";
import { LRUCache } from "lru-cache";
import { say } from "../../words/text.ts";
import { failureOf } from "../base/unexpected.ts";
import { makePicture } from "./makePicture.ts";
import type { ScorerKey, ScorerReply, ScorerRequest, ScorerTask } from "./messages.ts";
import { type OpenScorer, openScorer } from "./open.ts";
import { openedImages } from "./openedImages.ts";
import type { ScoreRow } from "./scores.ts";

// The scoring process: decodes, scores and makes pictures, each piece of work as it comes; what comes first is decided by the
// engine at the other end (scorerProcess.ts). It ends with its parent.

const scorersKept = 2;

process.on("disconnect", () => process.exit(0));
// Ctrl+C in a terminal reaches the whole group; the parent decides.
process.on("SIGINT", () => {});
try {
  os.setPriority(10);
} catch {
  // Not allowed here: it works as well, only less politely.
}

const withImage = openedImages();
/** Not closed when it is forgotten, since it may be at work: its memory goes once nothing holds it. */
const scorers = new LRUCache<string, Promise<OpenScorer>>({ max: scorersKept });

function scorerOf(key: ScorerKey): Promise<OpenScorer> {
  const name = `${key.fingerprint} ${key.dir}`;
  let opened = scorers.get(name);
  if (!opened) {
    opened = openScorer(key);
    opened.catch(() => scorers.delete(name));
    scorers.set(name, opened);
  }
  return opened;
}

async function carryOut(task: ScorerTask): Promise<ScoreRow | null> {
  if (task.do === "open") await scorerOf(task.scorer);
  else if (task.do === "picture") {
    await withImage(task.image, (image) => makePicture(image, task.size, task.file));
  } else {
    const scorer = await scorerOf(task.scorer).catch((error) => {
      throw new NoScorer(error);
    });
    if (task.do === "score") return withImage(task.image, (image) => scorer.score(image));
    await withImage(task.image, (image) => scorer.heat(image, task.files));
  }
  return null;
}

class NoScorer extends Error {
  constructor(cause: unknown) {
    super("", { cause });
  }
}

async function answer({ id, task }: ScorerRequest): Promise<ScorerReply> {
  try {
    return { id, ok: true, row: await carryOut(task) };
  } catch (thrown) {
    const about = thrown instanceof NoScorer || task.do === "open" ? "scorer" : "image";
    const error = thrown instanceof NoScorer ? thrown.cause : thrown;
    const doing = about === "scorer" ? say`the scorer was opened` : say`an image was looked at`;
    return { id, ok: false, about, failure: failureOf(error, { doing }) };
  }
}

function send(reply: ScorerReply): void {
  // The parent may be gone this very moment.
  if (process.connected) process.send?.(reply, () => {});
}

process.on("message", (request: ScorerRequest) => void answer(request).then(send));
send({ ready: true });
