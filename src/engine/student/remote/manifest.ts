import { createHash } from "node:crypto";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";

/** `student.sha256`, which `sha256sum --check` reads too: what the two files of a student hash to. */
export const manifestName = "student.sha256";
export const studentNames = ["student.json", "student.onnx"] as const;
type StudentName = (typeof studentNames)[number];
export type Manifest = Record<StudentName, string>;

export function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export function manifestText(manifest: Manifest): string {
  return studentNames.map((name) => `${manifest[name]}  ${name}\n`).join("");
}

/** Throws LeafError `input` where a file has no checksum, or two. Other files may be named. */
export function parseManifest(text: string, from: string): Manifest {
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [, digest, name] = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/i.exec(line) ?? [];
    if (!digest || !studentNames.some((one) => one === name)) continue;
    if (found.has(name!)) throw new LeafError("input", say`${from} names ${name!} twice.`);
    found.set(name!, digest.toLowerCase());
  }
  const [card, model] = studentNames.map((name) => found.get(name));
  if (!card || !model)
    throw new LeafError("input", say`${from} does not hold the checksums of a student.`, {
      remedy: say`\`leaf export student\` writes it beside the student.`,
    });
  return { "student.json": card, "student.onnx": model };
}
