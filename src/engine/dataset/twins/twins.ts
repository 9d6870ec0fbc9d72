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
import { lookOf, lookSide } from "../../images/look.ts";
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
const perPairWrite = 5000;

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
  const some = `FROM looks WHERE version = ${version} AND length(signature) = ${4 * words * windows.length}`;
  if (!db.prepare(`SELECT 1 ${some} AND compared = 0 LIMIT 1`).get()) return;
  const room = Number(db.prepare(`SELECT count(*) AS n ${some}`).get()?.n);
  // Some bytes an image; all else is asked of the index when it is needed.
  const rowIds = new Float64Array(room);
  const wholes = new Uint32Array(room * words);
  const isFresh = new Uint8Array(room);
  let count = 0;
  const rows = db.prepare(
    `SELECT rowid, substr(signature, 1, ${4 * words}) AS whole, compared ${some} ORDER BY hash LIMIT ?`,
  );
  for (const row of rows.iterate(room)) {
    rowIds[count] = Number(row.rowid);
    wholes.set(numbers(row.whole), count * words);
    isFresh[count++] = row.compared ? 0 : 1;
  }
  const looks = lookReader(db, rowIds);
  const signatures = { wholes: wholes.subarray(0, count * words), windowsOf: looks.signature };
  const pairs = pairWriter(db);
  let compared = 0;
  for await (const { whole, part, window } of candidates(signatures, isFresh.subarray(0, count), signal)) {
    if (++compared % perPause === 0) {
      throwIfCancelled(signal);
      await setImmediate();
    }
    const [one, other] = [looks.whole(whole), looks.part(part)];
    if (one?.length !== lookSide ** 2 || other?.length !== lookSide ** 2) continue;
    const value = alike(one, other, windows[window]!);
    if (value >= leastAlike) pairs.put(rowIds[whole]!, rowIds[part]!, value);
  }
  const done = db.prepare("UPDATE looks SET compared = 1 WHERE rowid = ?");
  db.exec("BEGIN IMMEDIATE");
  pairs.write();
  for (let i = 0; i < count; i++) if (isFresh[i]) done.run(rowIds[i]!);
  db.exec("COMMIT");
}

function numbers(blob: unknown): Uint32Array {
  return new Uint32Array(Uint8Array.from(blob as Uint8Array).buffer);
}

/** What was kept of single images, by their rows. One that others wrote anew meanwhile has another row, and is compared the next time. */
function lookReader(db: DatabaseSync, rowIds: Float64Array) {
  const signature = db.prepare("SELECT signature FROM looks WHERE rowid = ?");
  const look = db.prepare("SELECT look FROM looks WHERE rowid = ?");
  let last: { image: number; look: Uint8Array | undefined } | undefined;
  const read = (image: number) => look.get(rowIds[image]!)?.look as Uint8Array | undefined;
  return {
    signature(image: number): Uint32Array | undefined {
      const row = signature.get(rowIds[image]!);
      return row && numbers(row.signature);
    },
    /** The candidates of one picture come one after the other. */
    whole(image: number): Uint8Array | undefined {
      if (last?.image !== image) last = { image, look: read(image) };
      return last.look;
    },
    part: read,
  };
}

/** Writes pairs some thousand at a time: what is written twice is the same, so nothing is lost where the work ends early. */
function pairWriter(db: DatabaseSync) {
  const add = db.prepare(
    `INSERT INTO twins (a, b, alike) SELECT min(x.hash, y.hash), max(x.hash, y.hash), ? FROM looks x, looks y
     WHERE x.rowid = ? AND y.rowid = ? ON CONFLICT (a, b) DO UPDATE SET alike = max(alike, excluded.alike)`,
  );
  let pairs: [number, number, number][] = [];
  const write = () => {
    for (const [one, other, alike] of pairs) add.run(alike, one, other);
    pairs = [];
  };
  return {
    put(one: number, other: number, alike: number) {
      pairs.push([one, other, alike]);
      if (pairs.length < perPairWrite) return;
      db.exec("BEGIN IMMEDIATE");
      write();
      db.exec("COMMIT");
    },
    /** Inside of a transaction. */
    write,
  };
}
