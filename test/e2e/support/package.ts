import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";

export const vsixFolder = path.resolve("test/.e2e");

/** The .vsix that all tests install, made anew before the first; LEAF_VSIX names one to take as it is. */
export default function makePackage(): void {
  if (process.env.LEAF_VSIX) return;
  rmSync(vsixFolder, { recursive: true, force: true });
  for (const args of [
    ["scripts/build.js", "--production"],
    ["scripts/package.js", "--out", vsixFolder],
  ]) {
    const made = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (made.status !== 0) throw new Error(`The package could not be made: ${made.stdout}${made.stderr}`);
  }
}

export function vsixFile(): string {
  const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
  const made = path.join(vsixFolder, `${name}-${process.platform}-${process.arch}-${version}.vsix`);
  return process.env.LEAF_VSIX ?? made;
}
