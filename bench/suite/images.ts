import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { finishedProject, manyFiles } from "./finishedProject.ts";
import { processSeconds, type Work } from "./work.ts";

const amount = 5_000;
const shown = amount.toLocaleString("en");

/** Looking at many files: the index alone, and commands that have nothing else to do. */
export const images: readonly Work[] = [
  {
    name: `index ${shown} unchanged files`,
    peer: "`find -exec stat`",
    aim: 0.67,
    async prepare(folder, leaf) {
      await manyFiles(path.join(folder, "photos"), amount);
      const index = indexing(folder, leaf);
      await index();
      return { ours: index, peer: () => find(folder, ["-exec", "stat", "-c", "%n %s %Y", "{}", "+"]) };
    },
  },
  {
    name: `index ${shown} new files of 3 kB`,
    peer: "`find`, `sha256sum` on all cores",
    aim: 0.91,
    async prepare(folder, leaf) {
      await manyFiles(path.join(folder, "photos"), amount);
      const index = indexing(folder, leaf);
      return {
        ours() {
          rmSync(path.join(folder, ".leaf"), { recursive: true, force: true });
          return index();
        },
        peer: () =>
          shell(folder, "find photos -type f -print0 | xargs -0 -P $(nproc) -n 500 sha256sum > /dev/null"),
      };
    },
  },
  nothingToDo("run"),
  nothingToDo("status"),
];

/** A command on a project in which all stages are fresh. */
function nothingToDo(command: "run" | "status"): Work {
  return {
    name: `\`leaf ${command}\` with nothing to do, ${shown} images`,
    peer: "`find -exec stat`",
    aim: 0.5,
    async prepare(folder, leaf) {
      await finishedProject(folder, leaf, amount);
      return {
        ours: () => processSeconds(process.execPath, [leaf, command], { cwd: folder }),
        peer: () => find(folder, ["-exec", "stat", "-c", "%n %s %Y", "{}", "+"]),
      };
    },
  };
}

/** In a process of its own, whose start does not count: it is the same for any number of files. */
function indexing(folder: string, leaf: string): () => Promise<number> {
  const script = path.join(path.dirname(leaf), "../bench/index-memory.ts");
  return async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, "--scan", folder]);
    return JSON.parse(stdout).seconds;
  };
}

const find = (folder: string, does: string[]) =>
  processSeconds("find", ["photos", "-type", "f", ...does], { cwd: folder });
const shell = (folder: string, line: string) => processSeconds("sh", ["-c", line], { cwd: folder });
