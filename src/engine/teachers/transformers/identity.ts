import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { localFolder } from "../../base/hub.ts";
import { canonicalJson } from "../../base/keys.ts";
import type { TransformersTeacherConfig } from "../../config/teacher.ts";
import { tileBudget } from "../../config/tiles.ts";
import { resolvePrompts } from "../prompts.ts";

/** Raised whenever the code between pixels and probabilities changes what comes out. */
const codeVersion = 1;

/** Who the teacher is: all that can change a judgement, without starting Python or reading the weights through. */
export async function identify(config: TransformersTeacherConfig, root: string) {
  const { reason: _, canvas: __, ...prompts } = resolvePrompts(config.prompts, config.model);
  const tiles = tileBudget(config);
  const description = {
    kind: "transformers",
    ...(await modelIdentity(config, root)),
    dtype: config.dtype,
    quantize: config.quantize,
    maxSide: config.maxSide,
    ...(tiles !== null && { maxTiles: tiles }),
    prompts,
    codeVersion,
  };
  return { fingerprint: createHash("sha256").update(canonicalJson(description)).digest("hex"), description };
}

/** Which model it is, on the hub or in a folder: a folder is who it holds, wherever it lies. */
export async function modelIdentity({ model, revision }: { model: string; revision?: string }, root: string) {
  const folder = localFolder(model, root);
  return folder === undefined
    ? { model, revision: revision ?? null }
    : { model: path.basename(folder), content: await folderDigest(folder) };
}

/** Throws LeafError `environment` where `model` is a folder that holds none. */
export function needModel(model: string, folder: string | undefined): void {
  if (folder === undefined || existsSync(path.join(folder, "config.json"))) return;
  throw new LeafError("environment", say`There is no model in the folder ${model}.`, {
    remedy: say`Correct \`teacher.model\`: a folder with a config.json, or a model's id on the hub.`,
  });
}

const samples = 16;
const sampleBytes = 64 * 1024;
const smallBytes = 64 * 1024 * 1024;
/** Digests by what the folder looks like, so that a view may ask often. */
const known = new Map<string, { look: string; digest: string }>();

/**
 * A digest of a model folder: its JSON and template files whole; of its weights their names, sizes and samples spread over each
 * file (1 MiB), which differ after any ordinary fine-tuning. "missing" where there is no such folder.
 */
async function folderDigest(folder: string): Promise<string> {
  let names: string[];
  try {
    names = (await readdir(folder)).sort();
  } catch {
    return "missing";
  }
  const files = [];
  for (const name of names) {
    if (!/\.(json|jinja|model|txt|safetensors)$/.test(name)) continue;
    const { size, mtimeMs } = await stat(path.join(folder, name)).catch(() => ({ size: -1, mtimeMs: 0 }));
    if (size >= 0) files.push({ name, size, mtimeMs });
  }
  const look = JSON.stringify(files);
  const last = known.get(folder);
  if (last?.look === look) return last.digest;
  const hash = createHash("sha256");
  for (const { name, size } of files) {
    hash.update(`${name} ${size}\n`);
    const file = path.join(folder, name);
    const whole = !name.endsWith(".safetensors") && size <= smallBytes;
    hash.update(whole ? await readFile(file) : await sampled(file, size));
  }
  const digest = hash.digest("hex").slice(0, 32);
  known.set(folder, { look, digest });
  return digest;
}

async function sampled(file: string, size: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const parts: Buffer[] = [];
    for (let i = 0; i < samples; i++) {
      const at = Math.floor((Math.max(0, size - sampleBytes) * i) / (samples - 1));
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(sampleBytes), 0, sampleBytes, at);
      parts.push(buffer.subarray(0, bytesRead));
    }
    return Buffer.concat(parts);
  } finally {
    await handle.close();
  }
}
