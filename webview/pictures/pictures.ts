import type { ReactiveControllerHost } from "lit";
import { LRUCache } from "lru-cache";
import type { ImageRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";

/** An address to load, null for a file that cannot be shown, undefined while it is being made. */
export type Address = string | null | undefined;

/** Addresses of the pictures of a project's images, made by the server where there are none yet. */
export interface Pictures {
  /** Small ones are asked for by `want` only. */
  small(row: ImageRow): Address;
  /** The image itself, or what stands for it where a browser cannot show it. */
  full(row: ImageRow): Address;
  /** The small pictures that are looked at now; earlier wishes that were not yet asked for are let go. */
  want(rows: readonly ImageRow[]): void;
  /** Loads those in full that will be looked at next. */
  preload(rows: readonly ImageRow[]): void;
  /** An address did not load: another one is made once, then the image counts as one that cannot be shown. */
  failed(row: ImageRow, size: "small" | "full"): void;
  /** Calls whenever there are new addresses. Returns what stops it. */
  follow(changed: () => void): () => void;
  close(): void;
}

const shownByBrowsers = new Set(["jpeg", "png", "webp", "avif", "gif", "bmp"]);
const atOnce = 24;
const inFlightAtOnce = 2;
const settleMs = 30;
const kept = 4000;

export function createPictures(host: Host, config: string): Pictures {
  const addresses = () => new LRUCache<string, { address: string | null }>({ max: kept });
  const made = { small: addresses(), full: addresses() };
  const asked = new Set<string>();
  let wishes: string[] = [];
  let inFlight = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let preloaded: HTMLImageElement[] = [];
  const followers = new Set<() => void>();
  const tell = () => {
    for (const changed of followers) changed();
  };

  function ask(): void {
    timer = undefined;
    while (inFlight < inFlightAtOnce) {
      const hashes = wishes.filter((hash) => !made.small.has(hash) && !asked.has(`small ${hash}`));
      if (hashes.length === 0) return;
      void make(hashes.slice(0, atOnce), "small");
    }
  }

  async function make(hashes: string[], size: "small" | "full"): Promise<void> {
    for (const hash of hashes) asked.add(`${size} ${hash}`);
    if (size === "small") inFlight++;
    let answer: Record<string, string | null> = {};
    try {
      answer = await host.request("leaf/thumbnails", { config, hashes, size });
    } catch {
      // Not asked for again by itself: that would go on for ever.
    } finally {
      for (const hash of hashes) asked.delete(`${size} ${hash}`);
      if (size === "small") inFlight--;
    }
    if (closed) return;
    for (const hash of hashes) {
      const uri = answer[hash];
      made[size].set(hash, { address: uri ? host.resource(uri) : null });
    }
    ask();
    tell();
  }

  return {
    small(row) {
      const one = made.small.get(row.hash);
      if (one) return one.address;
      return row.thumbnail ? host.resource(row.thumbnail) : undefined;
    },
    full(row) {
      const one = made.full.get(row.hash);
      if (one) return one.address;
      if (!row.linkedOut && shownByBrowsers.has(row.format.toLowerCase())) return host.resource(row.uri);
      if (!asked.has(`full ${row.hash}`)) void make([row.hash], "full");
      return undefined;
    },
    want(rows) {
      wishes = rows.filter((row) => !row.thumbnail).map((row) => row.hash);
      timer ??= setTimeout(ask, settleMs);
    },
    preload(rows) {
      const addresses = rows.map((row) => this.full(row)).filter((one) => typeof one === "string");
      const loading = (address: string) => preloaded.find((one) => one.getAttribute("src") === address);
      preloaded = addresses.map((address) => {
        const image = loading(address) ?? new Image();
        if (!image.src) image.src = address;
        return image;
      });
    },
    failed(row, size) {
      const known = made[size].has(row.hash);
      if (asked.has(`${size} ${row.hash}`)) return;
      if (!known) return void make([row.hash], size);
      made[size].set(row.hash, { address: null });
      tell();
    },
    follow(changed) {
      followers.add(changed);
      return () => followers.delete(changed);
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** Draws an element anew when there are new addresses of its `pictures`. */
export function followPictures(element: ReactiveControllerHost & { pictures: Pictures | undefined }): void {
  let followed: Pictures | undefined;
  let stop = () => {};
  const follow = (pictures: Pictures | undefined) => {
    if (pictures === followed) return;
    stop();
    stop = pictures?.follow(() => element.requestUpdate()) ?? (() => {});
    followed = pictures;
  };
  element.addController({
    hostConnected: () => element.requestUpdate(),
    hostUpdate: () => follow(element.pictures),
    hostDisconnected: () => follow(undefined),
  });
}
