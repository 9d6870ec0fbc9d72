import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { studentCard } from "../../protocol/schema/student.ts";
import type { StudentCard } from "../../protocol/student.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { withFileErrors } from "../base/files.ts";
import { parseAs } from "../base/json.ts";
import { onnxFault } from "./onnxFile.ts";

/** The largest student, by far: the networks that LEAF trains take up to some hundred MB. */
export const mostModelBytes = 1024 ** 3;
export const mostCardBytes = 1024 ** 2;

const remedy = say`Run the stage again, or get the folder again from whoever made it.`;

/** A student's two files, as far as they can be judged without running them. Throws LeafError `input` with file and fault. */
export async function readStudentFiles(dir: string): Promise<{ card: StudentCard; model: Buffer }> {
  const files = studentFiles(dir);
  if (!existsSync(files.card) || !existsSync(files.model)) {
    throw new LeafError("input", say`There is no student in ${dir}.`, {
      remedy: say`Run \`leaf distill\` first, or name the folder of an exported student.`,
    });
  }
  const card = cardOf(files.card, (await bytesOf(files.card, mostCardBytes)).toString("utf8"));
  const model = await bytesOf(files.model, mostModelBytes);
  const fault = onnxFault(model);
  if (fault) throw unusable(files.model, fault);
  return { card, model };
}

export function studentFiles(dir: string): { card: string; model: string } {
  return { card: path.join(dir, "student.json"), model: path.join(dir, "student.onnx") };
}

function cardOf(file: string, text: string): StudentCard {
  const read = parseAs<StudentCard>(text, studentCard);
  if (read.ok) return read.value;
  if (/^\s*\{\s*"v"\s*:\s*[2-9]/.test(text))
    throw new LeafError("input", say`${file} is of a newer version of LEAF.`, {
      file,
      remedy: say`Update LEAF.`,
    });
  throw new LeafError("input", say`${file} does not describe a student: ${read.why}.`, { file, remedy });
}

async function bytesOf(file: string, most: number): Promise<Buffer> {
  return withFileErrors("read", file, async () => {
    const handle = await open(file, "r");
    try {
      const info = await handle.stat();
      if (!info.isFile()) throw new LeafError("input", say`${file} is not a file.`, { file, remedy });
      if (info.size > most)
        throw new LeafError("input", say`${file} has more than ${most} bytes.`, { file, remedy });
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  });
}

export function unusable(file: string, fault: Text): LeafError {
  return new LeafError("input", say`${file} is not a usable ONNX file: ${fault}.`, { file, remedy });
}

type Shape = readonly (number | string)[];
type Values = InferenceSession["inputMetadata"];

/** What goes in and out has the names, types and shapes that the card promises. Throws LeafError `input` naming what has not. */
export function checkSignature(session: InferenceSession, card: StudentCard, file: string): void {
  const side = card.input.views === "whole" ? null : card.input.crop;
  if (session.inputNames.length !== 1 || session.inputNames[0] !== "pixels")
    throw unusable(file, say`its input is \`${listed(session.inputNames)}\`, not \`pixels\``);
  expect(session.inputMetadata, "pixels", "uint8", [null, side, side, 3]);
  expect(session.outputMetadata, "score", "float32", [null]);
  if (session.outputNames.includes("features"))
    expect(session.outputMetadata, "features", "float32", [null, null]);
  if (session.outputNames.includes("map"))
    expect(session.outputMetadata, "map", "float32", [null, null, null]);
  if (session.outputNames.includes("distance")) expect(session.outputMetadata, "distance", "float32", [null]);
  if (session.outputNames.includes("levels"))
    expect(session.outputMetadata, "levels", "float32", [null, card.levels?.dim ?? null]);
  for (const { score, sd } of card.targets ?? [])
    for (const name of sd === null ? [score] : [score, sd])
      expect(session.outputMetadata, name, "float32", [null]);

  /** `null` fits any extent; so does one that the file leaves open. */
  function expect(values: Values, name: string, type: string, wanted: (number | null)[]): void {
    const found = values.find((one) => one.name === name);
    if (!found)
      throw unusable(file, say`it has no output \`${name}\` (it has ${listed(session.outputNames)})`);
    const shape: Shape = found.isTensor ? found.shape : [];
    const fits =
      found.isTensor &&
      found.type === type &&
      shape.length === wanted.length &&
      wanted.every((extent, i) => {
        const there = shape[i];
        return extent === null || typeof there !== "number" || there <= 0 || there === extent;
      });
    if (fits) return;
    const text = wanted.map((extent) => extent ?? "n").join(" × ");
    const had = found.isTensor
      ? `${found.type} ${shape.map(String).join(" × ") || "scalar"}`
      : say`no tensor`;
    throw unusable(file, say`\`${name}\` is ${had}, not ${type} ${text}`);
  }
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(", ").slice(0, 120);
}
