import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { config, makeWorkspace } from "../../integration/workspace.ts";

export interface Folder {
  dir: string;
  write(name: string, text: string): void;
  remove(): void;
}

/** A project that goes through all stages in under a minute on two cores; its last ten images are not rated. */
export async function projectFolder(images: number): Promise<Folder> {
  const folder = emptyFolder();
  await makeWorkspace(folder.dir, images);
  folder.write("leaf.yaml", config("", { epochs: 150, ratio: 0.5 }));
  const mos = readFileSync(path.join(folder.dir, "mos.csv"), "utf8").trim().split("\n");
  folder.write("mos.csv", `${mos.slice(0, -10).join("\n")}\n`);
  return folder;
}

/** A folder with nothing but images in it. */
export async function photoFolder(images: number): Promise<Folder> {
  const folder = emptyFolder();
  await makeWorkspace(folder.dir, images);
  for (const name of ["leaf.yaml", "mos.csv"]) rmSync(path.join(folder.dir, name));
  return folder;
}

export function emptyFolder(): Folder {
  const dir = mkdtempSync(path.join(tmpdir(), "leaf-ws-"));
  return {
    dir,
    write(name, text) {
      mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      writeFileSync(path.join(dir, name), text);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

/** The interpreter that trains: LEAF_PYTHON, or the one that `leaf env` made. */
export function trainingPython(): string {
  if (process.env.LEAF_PYTHON) return process.env.LEAF_PYTHON;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["bin/leaf.js", "env", "--check", "--json"],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`No Python to train with: ${stderr}`);
  return JSON.parse(stdout).interpreter;
}
