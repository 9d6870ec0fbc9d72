import { openForReading } from "./index/file.ts";

/** All paths under which the index knows an image. Throws LeafError `failed` for an index that cannot be read. */
export function copiesOf(indexFile: string, hash: string): string[] {
  const db = openForReading(indexFile);
  try {
    const rows = db.prepare("SELECT path FROM files WHERE hash = ? ORDER BY path").all(hash);
    return rows.map((row) => String(row.path));
  } finally {
    db.close();
  }
}
