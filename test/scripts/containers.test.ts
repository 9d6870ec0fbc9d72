import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import picomatch from "picomatch";
import { describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** A file, or those of a folder. */
function under(source: string): string[] {
  const at = path.join(root, source);
  if (!statSync(at).isDirectory()) return [source];
  return readdirSync(at, { recursive: true, encoding: "utf8" }).map((name) => path.posix.join(source, name));
}

interface Step {
  name: string;
  words: string[];
  text: string;
}

/** The instructions, with continued lines joined and comments left out. */
function steps(file: string): Step[] {
  const text = read(file)
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "");
  return text.split("\n").flatMap((line) => {
    const [name, ...words] = line.split(" ").filter(Boolean);
    return name ? [{ name, words, text: words.join(" ") }] : [];
  });
}

const rules = read(".dockerignore")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => {
    const pattern = line.replace(/^!/, "");
    return { ignores: pattern === line, matches: picomatch([pattern, `${pattern}/**`], { dot: true }) };
  });

/** Whether .dockerignore lets a file through: of its lines the last one that fits wins. */
function sent(file: string): boolean {
  return rules.findLast(({ matches }) => matches(file))?.ignores !== true;
}

const files = ["containers/Dockerfile.cpu", "containers/Dockerfile.cuda"];

describe.each(files)("%s", (file) => {
  const all = steps(file);
  const args = Object.fromEntries(
    all.filter(({ name }) => name === "ARG").map(({ text }) => text.split("=") as [string, string]),
  );

  it("copies only what is in the repository and is sent to the builder", () => {
    const sources = all
      .filter(({ name, words }) => name === "COPY" && !words[0]!.startsWith("--from="))
      .flatMap(({ words }) => words.slice(0, -1));
    expect(sources.length).toBeGreaterThan(10);
    for (const source of sources) {
      expect(under(source).some(sent), source).toBe(true);
    }
  });

  it("copies from stages that are there", () => {
    const stages = all.filter(({ name }) => name === "FROM").map(({ words }) => words[2]);
    for (const { name, words } of all)
      if (name === "COPY" && words[0]!.startsWith("--from=")) expect(stages).toContain(words[0]!.slice(7));
  });

  it("runs as another user than root, and tells whether it is well", () => {
    const last = all.slice(all.findLastIndex(({ name }) => name === "FROM"));
    const user = last.findLast(({ name }) => name === "USER")!.text;
    expect(Number(user)).toBeGreaterThan(0);
    expect(last.some(({ name }) => name === "HEALTHCHECK")).toBe(true);
  });

  it("has the Node that the package is tested with, and a Python that the locks are for", () => {
    const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, { version: string }> };
    expect(args.NODE).toBe(lock.packages["node_modules/node"]!.version);
    const [, minor] = /^3\.(\d+)\.\d+$/.exec(args.PYTHON!)!;
    const [, least, most] = /requires-python = ">=3\.(\d+)(?:,<3\.(\d+))?"/.exec(
      read("src/python/pyproject.toml"),
    )!;
    expect(Number(minor)).toBeGreaterThanOrEqual(Number(least));
    if (most) expect(Number(minor)).toBeLessThan(Number(most));
    expect(read("src/python/requirements-cpu.txt")).toContain("Python 3.11 to 3.14");
    expect(Number(minor)).toBeLessThanOrEqual(14);
  });

  it("pins every image, and installs nothing besides the locks", () => {
    for (const { name, words } of all) {
      if (name !== "FROM" || !words[0]!.includes(":")) continue;
      const image = words[0]!.replaceAll(/\$\{(\w+)\}/g, (_, arg) => args[arg]!);
      expect(image).toMatch(
        /^(node|python):\d+\.\d+\.\d+-bookworm-slim$|^python:\d+\.\d+\.\d+-slim-bookworm$/,
      );
    }
    const text = read(file);
    expect(text).toContain("npm ci ");
    expect(text).not.toMatch(/pip install|npm install|apt-get|curl/);
  });
});

it("neither secrets nor what was built here is sent to the builder", () => {
  for (const file of [
    ".env",
    ".git/config",
    "node_modules/x/index.js",
    "dist/cli.js",
    ".leaf/labels.sqlite",
    "demo/workspace/a.jpg",
  ])
    expect(sent(file), file).toBe(false);
  for (const file of ["src/cli/main.ts", ".npmrc", "src/python/leaf/train.py"])
    expect(sent(file), file).toBe(true);
});
