import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { ProgressSink } from "../../../protocol/progress.ts";
import { isCancelled, LeafError, throwIfCancelled } from "../../base/errors.ts";
import { forEachBounded } from "../../base/pool.ts";
import { explainDatabaseError } from "../../base/sqlite.ts";
import { decodedSize, UndecodableImage } from "../../images/decode.ts";
import { pixelBytes } from "../../images/limits.ts";
import { lookOf } from "../../images/look.ts";
import { withImageBytes } from "../../images/read.ts";
import { openForScan } from "../index/file.ts";
import { alike } from "./alike.ts";
import { candidates } from "./candidates.ts";
import { signatureOf, windows, words } from "./signature.ts";

/** Two images that are the same picture, by hash, `a` the smaller; `alike` is the correlation of their small grey versions. */
export interface Twins {
  a: string;
  b: string;
  alike: number;
}

export interface TwinsOptions {
  root: string;
  indexFile: string;
  maxPixels: number;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
}

/** Raised whenever looks or signatures come out otherwise. A new libvips does not: splits would change for nothing. */
const version = 1;
/** Pairs less alike than this are of no use to anybody. */
export const leastAlike = 0.8;
const perPage = 500;
const perWrite = 64;
const perPause = 200;

const unknown = `FROM files AS f WHERE error IS NULL AND hash IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM looks AS l WHERE l.hash = f.hash AND l.version = ${version})`;

/**
 * All pairs of usable images of the index that are the same picture saved, scaled, cut or converted again. Looks are made once for the
 * bytes of an image and kept in the index, as are the pairs: only new images are decoded and compared with all. Throws LeafErrors
 * `failed`, `cancelled`.
 */
export async function findTwins(options: TwinsOptions): Promise<Twins[]> {
  const db = openForScan(options.indexFile);
  try {
    await lookAtNew(db, options);
    await compareNew(db, options.signal);
    return db
      .prepare(
        `SELECT a, b, alike FROM twins WHERE EXISTS (SELECT 1 FROM files WHERE hash = a AND error IS NULL)
         AND EXISTS (SELECT 1 FROM files WHERE hash = b AND error IS NULL) ORDER BY a, b`,
      )
      .all() as unknown as Twins[];
  } catch (error) {
    throw explainDatabaseError(error, options.indexFile);
  } finally {
    db.close();
  }
}

async function lookAtNew(db: DatabaseSync, options: TwinsOptions): Promise<void> {
  const { root, maxPixels, signal, onProgress } = options;
  const total = Number(db.prepare(`SELECT count(DISTINCT hash) AS n ${unknown}`).get()?.n);
  if (total === 0) return;
  const next = db.prepare(
    `SELECT hash, min(path) AS path ${unknown} AND hash > ? GROUP BY hash ORDER BY hash LIMIT ${perPage}`,
  );
  const put = db.prepare(
    "INSERT OR REPLACE INTO looks (hash, version, look, signature, compared) VALUES (?, ?, ?, ?, 0)",
  );
  let rows: { hash: string; look: Uint8Array | null }[] = [];
  const flush = () => {
    if (rows.length === 0) return;
    db.exec("BEGIN IMMEDIATE");
    for (const { hash, look } of rows) {
      const signature = look && signatureOf(look);
      put.run(hash, version, look, signature ? new Uint8Array(signature.buffer) : null);
    }
    db.exec("COMMIT");
    rows = [];
  };
  let done = 0;
  const look = async ({ hash, path: file }: { hash: string; path: string }) => {
    try {
      const made = await withImageBytes({ hash, path: path.join(root, file) }, async (bytes) =>
        pixelBytes.run(await decodedSize(bytes, maxPixels), () => lookOf(bytes, { maxPixels })),
      );
      rows.push({ hash, look: made });
    } catch (error) {
      if (!(error instanceof LeafError) || isCancelled(error)) throw error;
      // A file that changed or may not be read now is looked at the next time.
      if (error instanceof UndecodableImage) rows.push({ hash, look: null });
    }
    if (rows.length >= perWrite) flush();
    onProgress?.({ stage: "index", step: "looks", done: ++done, total, unit: "images" });
  };
  try {
    for (let from = ""; ; ) {
      const page = next.all(from) as unknown as { hash: string; path: string }[];
      await forEachBounded(page, os.availableParallelism(), look, signal);
      if (page.length < perPage) break;
      from = page.at(-1)!.hash;
    }
  } finally {
    flush();
  }
}

async function compareNew(db: DatabaseSync, signal?: AbortSignal): Promise<void> {
  const some = `FROM looks WHERE version = ${version} AND signature IS NOT NULL`;
  if (!db.prepare(`SELECT 1 ${some} AND compared = 0 LIMIT 1`).get()) return;
  const room = Number(db.prepare(`SELECT count(*) AS n ${some}`).get()?.n);
  const each = windows.length * words;
  const values = new Uint32Array(room * each);
  const isFresh = new Uint8Array(room);
  const hashes: string[] = [];
  for (const row of db
    .prepare(`SELECT hash, signature, compared ${some} ORDER BY hash LIMIT ?`)
    .iterate(room)) {
    const signature = Uint8Array.from(row.signature as Uint8Array);
    // Anybody may have written to the cache.
    if (signature.byteLength !== 4 * each) continue;
    values.set(new Uint32Array(signature.buffer), hashes.length * each);
    isFresh[hashes.length] = row.compared ? 0 : 1;
    hashes.push(String(row.hash));
  }
  const look = db.prepare("SELECT look FROM looks WHERE hash = ?");
  const lookAt = (i: number) => look.get(hashes[i]!)?.look as Uint8Array | undefined;
  const pairs = new Map<string, Twins>();
  let compared = 0;
  for await (const { whole, part, window } of candidates({ count: hashes.length, values }, isFresh, signal)) {
    if (++compared % perPause === 0) {
      throwIfCancelled(signal);
      await setImmediate();
    }
    const [one, other] = [lookAt(whole), lookAt(part)];
    if (one?.length !== other?.length || !one || !other) continue;
    const value = alike(one, other, windows[window]!);
    if (value < leastAlike) continue;
    const [a, b] = [hashes[whole]!, hashes[part]!].sort() as [string, string];
    const key = `${a} ${b}`;
    if ((pairs.get(key)?.alike ?? 0) < value) pairs.set(key, { a, b, alike: value });
  }
  const put = db.prepare(
    "INSERT INTO twins (a, b, alike) VALUES (?, ?, ?) ON CONFLICT (a, b) DO UPDATE SET alike = max(alike, excluded.alike)",
  );
  const done = db.prepare("UPDATE looks SET compared = 1 WHERE hash = ?");
  db.exec("BEGIN IMMEDIATE");
  for (const { a, b, alike: value } of pairs.values()) put.run(a, b, value);
  for (const [i, hash] of hashes.entries()) if (isFresh[i]) done.run(hash);
  db.exec("COMMIT");
}
