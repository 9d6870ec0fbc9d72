import os from "node:os";
import path from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { ProgressSink } from "../../protocol/progress.ts";
import { isCancelled, LeafError } from "../base/errors.ts";
import { forEachBounded } from "../base/pool.ts";
import { explainDatabaseError } from "../base/sqlite.ts";
import { UndecodableImage, withImage } from "../images/decode.ts";
import { sharp } from "../images/sharp.ts";
import { openForScan } from "./index/file.ts";

/** What decoding says of an image that its header does not: why it is of no use, or what is worth telling. */
export interface DecodeFinding {
  path: string;
  problem: string | null;
  note: string | null;
}

export interface DecodeOptions {
  root: string;
  indexFile: string;
  maxPixels: number;
  signal?: AbortSignal;
  onProgress?: ProgressSink;
}

/** Findings of another decoder may be others. The number is raised whenever the code around it changes what comes out. */
const decoder = () => `2 vips ${sharp.versions.vips}`;
const perPage = 500;
const perWrite = 32;

const unknown = () => `FROM files AS f WHERE error IS NULL AND hash IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM decoded AS d WHERE d.hash = f.hash AND d.decoder = '${decoder()}')`;

/**
 * Decodes every usable image of the index that was not decoded before; what comes out is kept in the index by hash, so that it is
 * done once, and goes on where it was stopped. Resolves with the findings on all of them, by path.
 */
export async function decodeAll(options: DecodeOptions): Promise<DecodeFinding[]> {
  const db = openForScan(options.indexFile);
  try {
    const passing = await decodeUnknown(db, options);
    const found = db
      .prepare(
        `SELECT f.path, d.problem, d.note FROM decoded AS d JOIN files AS f ON f.hash = d.hash
         WHERE d.decoder = ? AND (d.problem IS NOT NULL OR d.note IS NOT NULL) AND f.error IS NULL`,
      )
      .all(decoder()) as unknown as DecodeFinding[];
    return [...found, ...passing].sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch (error) {
    throw explainDatabaseError(error, options.indexFile);
  } finally {
    db.close();
  }
}

/** Returns what is not kept: files that changed meanwhile, or may not be read now. */
async function decodeUnknown(
  db: DatabaseSync,
  { root, maxPixels, signal, onProgress }: DecodeOptions,
): Promise<DecodeFinding[]> {
  const passing: DecodeFinding[] = [];
  const total = Number(db.prepare(`SELECT count(DISTINCT hash) AS n ${unknown()}`).get()?.n);
  const next = db.prepare(
    `SELECT hash, min(path) AS path ${unknown()} AND hash > ? GROUP BY hash ORDER BY hash LIMIT ${perPage}`,
  );
  const put = db.prepare("INSERT OR REPLACE INTO decoded (hash, decoder, problem, note) VALUES (?, ?, ?, ?)");
  let rows: { hash: string; problem: string | null; note: string | null }[] = [];
  let done = 0;
  const flush = () => {
    if (rows.length === 0) return;
    db.exec("BEGIN IMMEDIATE");
    for (const { hash, problem, note } of rows) put.run(hash, decoder(), problem, note);
    db.exec("COMMIT");
    rows = [];
  };
  const decode = async (image: { hash: string; path: string }) => {
    const file = { hash: image.hash, path: path.join(root, image.path) };
    try {
      const note = await withImage(file, { maxPixels }, async (decoded) => decoded.note ?? null);
      rows.push({ hash: image.hash, problem: null, note });
    } catch (error) {
      if (!(error instanceof LeafError) || isCancelled(error)) throw error;
      const problem = reasonOf(error, file.path);
      if (error instanceof UndecodableImage) rows.push({ hash: image.hash, problem, note: null });
      else passing.push({ path: image.path, problem, note: null });
    }
    if (rows.length >= perWrite) flush();
    done += 1;
    onProgress?.({ stage: "index", step: "decode", done, total, unit: "images" });
  };
  try {
    for (let from = ""; ; ) {
      const page = next.all(from) as unknown as { hash: string; path: string }[];
      await forEachBounded(page, os.availableParallelism(), decode, signal);
      if (page.length < perPage) break;
      from = page.at(-1)!.hash;
    }
  } finally {
    flush();
  }
  return passing;
}

/** Without the name, which the path in front tells. */
function reasonOf({ message }: LeafError, file: string): string {
  const name = `${path.basename(file)}: `;
  return (message.startsWith(name) ? message.slice(name.length) : message).replace(/\.$/, "");
}
