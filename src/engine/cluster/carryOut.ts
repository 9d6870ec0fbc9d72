import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ClusterJob, ClusterMessage } from "../../protocol/cluster.ts";
import { clusterMessage } from "../../protocol/schema/cluster.ts";
import { quoted, say } from "../../words/text.ts";
import { appRoot } from "../base/appRoot.ts";
import { LeafError, throwIfCancelled } from "../base/errors.ts";
import { parseAs } from "../base/json.ts";
import { type LineChild, startLineChild } from "../base/lineChild.ts";
import { trainerEnvironment } from "../python/environment.ts";
import { rayInterpreter } from "../python/ray.ts";
import { cannotStart, lackedModule, lastLine } from "../python/run.ts";

/** Where and how wide: the same for scores and labels. */
export interface ClusterOptions {
  /** Of a cluster that runs; without one a cluster is started on this machine, and ends with the job. */
  address?: string;
  /** Processes that work at once; by default as many as the cluster has room for. */
  workers?: number;
  /** Processors of each. */
  cpus: number;
}

export const placeOf = ({ address, workers, cpus }: ClusterOptions) => ({
  v: 1 as const,
  address: address ?? null,
  workers: workers ?? null,
  cpus,
  leaf: [process.execPath, path.join(appRoot(), "bin", "leaf.js")],
});

export interface Carrying {
  child: LineChild;
  /** Resolves when Ray has ended; rejects with a LeafError where it went wrong. */
  done: Promise<void>;
}

/**
 * Starts `python -m leaf.ray` with a job; `write` makes files beside it that the job names, and they go when it ends. When this process is
 * gone its standard input closes, and it ends the work on Ray. Throws LeafErrors `environment` and `cancelled`.
 */
export async function startClusterJob(
  jobIn: (dir: string) => ClusterJob | Promise<ClusterJob>,
  { signal, onMessage }: { signal?: AbortSignal; onMessage(message: ClusterMessage): void },
): Promise<Carrying> {
  const interpreter = rayInterpreter();
  throwIfCancelled(signal);
  const dir = await mkdtemp(path.join(tmpdir(), "leaf-cluster-"));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const file = path.join(dir, "job.json");
    await writeFile(file, JSON.stringify(await jobIn(dir)));
    let failure: LeafError | undefined;
    const child = startLineChild(interpreter, ["-m", "leaf.ray", file], {
      cwd: dir,
      env: { ...trainerEnvironment(), LEAF_PARENT_PIPE: "1" },
      parse: messageOf,
      onMessage(message) {
        if (message.type === "error")
          failure = new LeafError(
            message.code === "nan" || message.code === "oom" ? "failed" : message.code,
            quoted(message.message),
            {
              remedy: message.remedy ? quoted(message.remedy) : undefined,
            },
          );
        onMessage(message);
      },
    });
    // Its own way to end also ends what it has on Ray, which a signal to its group would not wait for.
    const stop = () => child.process.stdin?.end();
    signal?.addEventListener("abort", stop, { once: true });
    const done = child.exit.then(async ({ code, error, fault }) => {
      signal?.removeEventListener("abort", stop);
      await remove();
      if (error) throw cannotStart(interpreter, error);
      throwIfCancelled(signal);
      if (failure) throw failure;
      if (code === 0 && !fault) return;
      const said = fault ?? (lastLine(child.stderr()) || say`it said nothing`);
      throw (
        lackedModule(interpreter, child.stderr()) ??
        new LeafError("failed", say`The work on the cluster ended early (${said}).`, {
          remedy: say`Run the same command again: it goes on.`,
        })
      );
    });
    done.catch(() => {}); // Told where it is awaited.
    return { child, done };
  } catch (error) {
    await remove();
    throw error;
  }
}

function messageOf(line: string): ClusterMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<ClusterMessage>(line, clusterMessage);
  return read.ok ? read.value : undefined;
}
