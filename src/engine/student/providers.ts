import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import type { InferenceSession } from "../base/onnxRuntime.ts";

/** Providers of ONNX Runtime beside the CPU's. */
export type Provider = "cuda" | "dml" | "coreml" | "webgpu";

const known: readonly string[] = ["cuda", "dml", "coreml", "webgpu"] satisfies Provider[];

/** What the installed package says of itself. */
export interface Installed {
  backends: readonly { name: string; bundled: boolean }[];
  /** CUDA's part, which its install script fetches. */
  cuda: boolean;
}

/**
 * The GPU provider to try, undefined for the CPU. By itself only CUDA, where its part is installed: the others are taken where
 * `LEAF_ONNX_PROVIDER` names them, since they prepare anew for each size of picture.
 */
export function chosenProvider(
  { backends, cuda }: Installed,
  named: string | undefined,
): Provider | undefined {
  const has = (name: string) => backends.some((one) => one.name === name && (one.bundled || name !== "cuda"));
  if (named !== undefined && named !== "")
    return known.includes(named) && (has(named) || named === "cuda") ? (named as Provider) : undefined;
  return cuda && backends.some(({ name }) => name === "cuda") ? "cuda" : undefined;
}

/** Of the package that is installed here. */
export function installedProviders(): Installed {
  const load = createRequire(import.meta.url);
  const { listSupportedBackends } = load("onnxruntime-node") as {
    listSupportedBackends?(): Installed["backends"];
  };
  const folder = path.dirname(load.resolve("onnxruntime-node/package.json"));
  const library = path.join(folder, "bin", "napi-v6", "linux", "x64", "libonnxruntime_providers_cuda.so");
  return { backends: listSupportedBackends?.() ?? [], cuda: existsSync(library) };
}

/** Scores may differ by this much between a GPU and the CPU. */
export const mostApart = 1e-3;

/**
 * A session on the GPU if it can be had there and answers as the CPU's does, else the CPU's. `score` is of the same few views in both.
 */
export async function onGpuOrCpu<S extends Pick<InferenceSession, "release">>(
  open: (provider: Provider | "cpu") => Promise<S>,
  provider: Provider | undefined,
  score: (session: S) => Promise<Float32Array>,
): Promise<S> {
  const cpu = await open("cpu");
  if (provider === undefined) return cpu;
  let gpu: S | undefined;
  try {
    gpu = await open(provider);
    const [a, b] = [await score(gpu), await score(cpu)];
    if (a.length === b.length && a.every((one, i) => Math.abs(one - b[i]!) <= mostApart)) {
      await cpu.release();
      return gpu;
    }
  } catch {
    // No driver, no memory, an operation that it lacks.
  }
  await gpu?.release().catch(() => {});
  return cpu;
}
