import { spawnSync } from "node:child_process";

/** How uv is called here: from the PATH or from the interpreter on it. @returns {[string, ...string[]]} */
export function uv() {
  /** @type {[string, ...string[]][]} */
  const ways = [["uv"], ["python3", "-m", "uv"]];
  for (const [command, ...before] of ways)
    if (spawnSync(command, [...before, "--version"]).status === 0) return [command, ...before];
  throw new Error("uv is not here: pip install uv.");
}
