import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { StudentCard } from "../../../protocol/student.ts";
import { writeJson } from "../../base/files.ts";
import { keyOf } from "../../base/keys.ts";
import { version } from "../../base/version.ts";
import type { Project } from "../../config/project.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { hasStudent, type StageOptions } from "../stage.ts";
import { exportBackbone } from "../trainer.ts";

/**
 * The student's network as it comes, as ONNX: `.leaf/cache/backbones/<key>/`, made at its first use (with PyTorch, some 20 s). Its
 * score says nothing; its `levels` are what the closed form of calibration reads.
 */
export async function backboneStudent(
  project: Project,
  options: StageOptions,
): Promise<{ dir: string; key: string }> {
  const { python, student } = project.config;
  const { model, input } = student;
  const key = keyOf({ v: 1, model, input });
  const dir = path.join(project.cache, "backbones", key);
  if (hasStudent(dir)) return { dir, key };
  // Whole or not at all; two that make it at once make the same.
  const out = `${dir}.tmp-${process.pid}`;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  try {
    options.onProgress?.({ stage: "calibrate", step: "backbone", done: 0, total: 1, unit: "networks" });
    const done = await exportBackbone({
      interpreter: resolveInterpreter(python.interpreter, project.root),
      signal: options.signal,
      job: {
        v: 1,
        kind: "backbone",
        out,
        threads: python.threads ?? options.threads ?? null,
        model,
        crop: input.crop,
        views: input.views,
      },
    });
    const card: StudentCard = {
      v: 1,
      stage: "distill",
      model,
      input,
      mosScale: null,
      parameters: done.parameters,
      exportMaxDifference: done.exportMaxDifference,
      outputs: ["features", "map", "levels"],
      domain: null,
      levels: done.levels,
      provenance: {
        leaf: version,
        created: new Date().toISOString(),
        stageKey: key,
        teacher: null,
        images: 0,
        torch: done.torch,
        device: "cpu",
      },
    };
    await writeJson(path.join(out, "student.json"), card);
    await rename(out, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
  } finally {
    await rm(out, { recursive: true, force: true });
  }
  return { dir, key };
}
