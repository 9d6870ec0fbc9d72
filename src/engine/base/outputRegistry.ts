import path from "node:path";
import * as z from "zod";
import { writeJson } from "./files.ts";
import { readJsonAs } from "./json.ts";

/** `.leaf/outputs.json`: files that LEAF wrote for its user, and the hash of what it wrote. */
const registrySchema = z.object({ v: z.literal(1), files: z.record(z.string(), z.string()) });

/** The newest stay. */
const mostFiles = 1000;

async function read(registry: string): Promise<Record<string, string>> {
  return (await readJsonAs(registry, registrySchema).catch(() => undefined))?.files ?? {};
}

/** Relative, so that a project may be moved with its `.leaf`. */
function nameIn(registry: string, file: string): string {
  return path.relative(path.dirname(registry), file).replaceAll("\\", "/");
}

/** The hash of what LEAF wrote to a file; undefined where it did not. */
export async function writtenHash(registry: string, file: string): Promise<string | undefined> {
  const files = await read(registry);
  const name = nameIn(registry, file);
  return Object.hasOwn(files, name) ? files[name] : undefined;
}

/** Not to be able to is no failure: the file is there, and is asked about the next time. */
export async function recordOutput(registry: string, file: string, hash: string): Promise<void> {
  const { [nameIn(registry, file)]: _, ...others } = await read(registry);
  const files = Object.fromEntries([
    ...Object.entries(others).slice(1 - mostFiles),
    [nameIn(registry, file), hash],
  ]);
  await writeJson(registry, { v: 1, files }).catch(() => {});
}
