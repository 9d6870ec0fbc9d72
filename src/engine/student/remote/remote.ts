import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { withFileErrors } from "../../base/files.ts";
import { leafHome } from "../../base/home.ts";
import { mostCardBytes, mostModelBytes } from "../file.ts";
import { type RemoteStudent, remoteStudent, shown } from "./address.ts";
import {
  type Manifest,
  manifestName,
  manifestText,
  parseManifest,
  sha256,
  studentNames,
} from "./manifest.ts";
import { get, put } from "./transfer.ts";

const mostOf = { "student.json": mostCardBytes, "student.onnx": mostModelBytes } as const;
const mostManifestBytes = 64 * 1024;

/** Where students from elsewhere are kept, each under the hash of its manifest. */
const keptStudents = () => path.join(leafHome(), "students");

/**
 * The folder of a student that a URL names. With `#sha256=` it is asked for once, and must be just that one; without, its manifest is read each
 * time. Throws LeafErrors `usage`, `input` for bytes that do not fit their checksum, `failed`, `cancelled`.
 */
export async function fetchedStudent(named: string, signal?: AbortSignal): Promise<string> {
  const remote = remoteStudent(named);
  const known = remote.pin && path.join(keptStudents(), remote.pin);
  if (known && (await isKept(known))) return known;
  const text = await get(`${remote.base}/${manifestName}`, mostManifestBytes, signal);
  const digest = sha256(text);
  if (remote.pin && digest !== remote.pin) throw differs(remote, manifestName, remote.pin, digest);
  const kept = path.join(keptStudents(), digest);
  if (await isKept(kept)) return kept;
  const manifest = parseManifest(text.toString("utf8"), shown(`${remote.base}/${manifestName}`));
  await fetchInto(remote, manifest, text, kept, signal);
  return kept;
}

/** All files at once under their final name: another process sees the whole student or none. */
async function fetchInto(
  remote: RemoteStudent,
  manifest: Manifest,
  text: Buffer,
  kept: string,
  signal?: AbortSignal,
): Promise<void> {
  await withFileErrors("write", kept, async () => {
    await mkdir(keptStudents(), { recursive: true });
    const making = await mkdtemp(path.join(keptStudents(), ".making-"));
    try {
      for (const name of studentNames) {
        const bytes = await get(`${remote.base}/${name}`, mostOf[name], signal);
        const digest = sha256(bytes);
        if (digest !== manifest[name]) throw differs(remote, name, manifest[name], digest);
        await writeFile(path.join(making, name), bytes, { flush: true });
      }
      await writeFile(path.join(making, manifestName), text, { flush: true });
      await rm(kept, { recursive: true, force: true });
      await rename(making, kept).catch((error) => {
        // Another process was first.
        if (!existsSync(path.join(kept, manifestName))) throw error;
      });
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  });
}

/** Whether a student is there and still what its manifest says. */
async function isKept(folder: string): Promise<boolean> {
  try {
    const text = await readFile(path.join(folder, manifestName));
    if (sha256(text) !== path.basename(folder)) return false;
    const manifest = parseManifest(text.toString("utf8"), manifestName);
    for (const name of studentNames)
      if (sha256(await readFile(path.join(folder, name))) !== manifest[name]) return false;
    return true;
  } catch {
    return false;
  }
}

/** What the files of an exported student hash to. */
export async function manifestOf(folder: string): Promise<Manifest> {
  const [card, model] = await Promise.all(studentNames.map((name) => readFile(path.join(folder, name))));
  return { "student.json": sha256(card!), "student.onnx": sha256(model!) };
}

/** Puts an exported student to a URL, the manifest last. Returns its checksum. */
export async function publishStudent(
  folder: string,
  { base }: RemoteStudent,
  signal?: AbortSignal,
): Promise<string> {
  const manifest = await manifestOf(folder);
  for (const name of studentNames) {
    const bytes = await readFile(path.join(folder, name));
    if (sha256(bytes) !== manifest[name])
      throw new LeafError("failed", say`${folder} was changed meanwhile.`);
    await put(`${base}/${name}`, bytes, signal);
  }
  const text = manifestText(manifest);
  await put(`${base}/${manifestName}`, Buffer.from(text), signal);
  return sha256(text);
}

function differs({ base }: RemoteStudent, name: string, wanted: string, had: string): LeafError {
  return new LeafError(
    "input",
    say`${shown(`${base}/${name}`)} is not what its checksum says (${had.slice(0, 12)}…, not ${wanted.slice(0, 12)}…).`,
    { remedy: say`It was changed, or is being replaced. Ask whoever made it for the checksum.` },
  );
}
