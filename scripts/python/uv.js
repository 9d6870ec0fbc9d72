import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

const release = "uv==0.13.9";

/** How uv is called here: from the PATH, or in an environment of its own that is made once. @returns {[string, ...string[]]} */
export function uv() {
  /** @type {[string, ...string[]][]} */
  const ways = [["uv"], ["python3", "-m", "uv"]];
  for (const [command, ...before] of ways)
    if (spawnSync(command, [...before, "--version"]).status === 0) return [command, ...before];
  const folder = path.resolve("node_modules", ".cache", `leaf-${release.replace("==", "-")}`);
  const bin = path.join(folder, process.platform === "win32" ? "Scripts" : "bin");
  if (!existsSync(path.join(bin, "uv")) && !existsSync(path.join(bin, "uv.exe"))) {
    const made =
      spawnSync("python3", ["-m", "venv", folder]).status === 0 &&
      spawnSync(path.join(bin, "python"), ["-m", "pip", "install", "--quiet", release], { stdio: "inherit" })
        .status === 0;
    if (!made) throw new Error(`${release} cannot be installed here.`);
  }
  return [path.join(bin, "uv")];
}
