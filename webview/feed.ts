import type { JobEvent, JobSnapshot } from "../src/protocol/jobs.ts";

/** What happens while a tab is open: dispatched on the `feed` that each tab is given. */
export interface FeedEvents {
  jobEvents: { job: JobSnapshot; events: JobEvent[] };
  scoresChanged: { uris: string[]; all: boolean };
}

export function tell<K extends keyof FeedEvents>(feed: EventTarget, type: K, detail: FeedEvents[K]): void {
  feed.dispatchEvent(new CustomEvent(type, { detail }));
}

/** Returns what stops listening. */
export function listen<K extends keyof FeedEvents>(
  feed: EventTarget,
  type: K,
  heard: (detail: FeedEvents[K]) => void,
): () => void {
  const listener = (event: Event) => heard((event as CustomEvent<FeedEvents[K]>).detail);
  feed.addEventListener(type, listener);
  return () => feed.removeEventListener(type, listener);
}
