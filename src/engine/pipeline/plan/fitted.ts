import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { writeJson } from "../../base/files.ts";
import { readJsonAs } from "../../base/json.ts";
import { keyOf } from "../../base/keys.ts";
import { stageDir } from "../stage.ts";
import type { Plan, StageInputs } from "./types.ts";

/**
 * What is fitted to a teacher's labels and the human scores, kept as `fits/<name>-<key>.json` beside the label stage's result. Its key
 * is the hash of what it is fitted to: the same is fitted once, not at every look.
 */
export async function fitted<T>(
  plan: Plan,
  name: string,
  inputs: StageInputs,
  schema: z.ZodType<T>,
  compute: () => T,
): Promise<T> {
  const dir = stageDir(plan.project, "label", (await plan.label()).key);
  const file = path.join(dir, "fits", `${name}-${keyOf(inputs)}.json`);
  const known = await readJsonAs(file, z.looseObject({ v: z.literal(1), value: schema }));
  if (known) return known.value as T;
  const value = compute();
  if (existsSync(dir)) {
    // A disk that takes nothing costs the fit again, no more.
    await mkdir(path.dirname(file), { recursive: true })
      .then(() => writeJson(file, { v: 1, value }))
      .catch(() => {});
  }
  return value;
}
