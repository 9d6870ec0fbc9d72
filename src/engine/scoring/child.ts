import { childEnvironment } from "../base/environment.ts";
import { lowerPriority, startChild } from "../base/processes.ts";
import { type ScorerReply, type ScorerRequest, scorerReply } from "./messages.ts";

export interface ScorerChild {
  send(request: ScorerRequest): void;
  /** Whether it keeps its parent's event loop alive. */
  hold(held: boolean): void;
  kill(): Promise<void>;
}

export interface ScorerChildEvents {
  onReply(reply: ScorerReply): void;
  /** It ended, unasked. `why`: the signal or exit code, and the last it said. */
  onCrash(crash: { started: boolean; why: string }): void;
}

const lowPriority = 10;
const keptOutput = 2000;

/** Starts the scoring process at low priority. It ends by itself when this process does. */
export function startScorerChild(entry: string, events: ScorerChildEvents): ScorerChild {
  const started = startChild(process.execPath, [entry], {
    // Inside VS Code execPath is Electron.
    env: childEnvironment({ ELECTRON_RUN_AS_NODE: "1" }),
    channel: true,
  });
  const child = started.process;
  // Before it has started any thread; it lowers itself once more where this came too late.
  lowerPriority(child, lowPriority);
  let isReady = false;
  let killed = false;
  const ended = started.exit.then(({ code, signal, error }) => {
    if (killed) return;
    const why = error?.message ?? signal ?? `exit code ${code}`;
    const said = started.stderr().slice(-keptOutput).trim();
    events.onCrash({ started: isReady, why: [why, said].filter(Boolean).join(": ") });
  });
  child.on("message", (message) => {
    const reply = replyOf(message);
    if (!reply) return;
    if ("ready" in reply) isReady = true;
    if (!killed) events.onReply(reply);
  });
  return {
    // A failure to send means that it is ending: `close` follows.
    send: (request) => void child.send(request, () => {}),
    hold(held) {
      const change = held ? "ref" : "unref";
      child[change]();
      child.channel?.[change]();
      const stderr = child.stderr as unknown as { ref?(): void; unref?(): void };
      stderr[change]?.();
    },
    kill() {
      killed = true;
      child.ref();
      // Nothing is lost: files are written under a temporary name and renamed.
      child.kill("SIGKILL");
      return ended;
    },
  };
}

/** A reply whose content does not fit is the failure of its image: whoever waits for it must hear something. */
function replyOf(message: unknown): ScorerReply | undefined {
  const read = scorerReply.safeParse(message);
  if (read.success) return read.data;
  const id = (message as { id?: unknown } | null)?.id;
  if (!Number.isSafeInteger(id)) return undefined;
  const text = "The scoring process gave no score that can be used.";
  return { id: id as number, ok: false, about: "image", failure: { code: "failed", message: text } };
}
