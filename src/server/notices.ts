import type { Connection } from "vscode-languageserver/node";
import type { ServerNotifications } from "../protocol/server.ts";

type Method = keyof ServerNotifications;

/** Sends LEAF's own notifications; those that only tell the newest state at most some times a second. */
export function notifying(connection: Connection) {
  const send = <M extends Method>(method: M, params: ServerNotifications[M]) => {
    try {
      void connection.sendNotification(method, params).catch(() => {});
    } catch {
      // A connection that is closing has nobody to tell.
    }
  };
  return { send, throttled };
}

/** Runs `work` soon, never more often than every `everyMs`, and once more after the last call. */
export function throttled(everyMs: number, work: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  return () => {
    if (timer) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        last = performance.now();
        work();
      },
      Math.max(0, last + everyMs - performance.now()),
    );
  };
}
