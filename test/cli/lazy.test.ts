import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { build, type Metafile } from "esbuild";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extensionBuilds } from "../../scripts/extensionBuild.js";
import { panelBuild } from "../../scripts/panelBuild.js";
import { groups, groupsFor } from "../../src/cli/commands.ts";
import { completionScript, shells } from "../../src/cli/completion.ts";
import type { Described } from "../../src/cli/described.ts";
import { runner } from "../../src/cli/run.ts";
import { temporaryFolder } from "../support/pictures.ts";

const dist = path.resolve("dist");
const leaf = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(dist, "cli.js"), ...args], { encoding: "utf8" });
const described: Described = JSON.parse(readFileSync(path.join(dist, "commands.json"), "utf8"));
const hidden = ["job", "supervise", "teach"];

describe("what a command loads", () => {
  it("each group adds the commands that it names", async () => {
    for (const { names, load } of groups) {
      const program = new Command();
      const run = runner(new AbortController().signal);
      (await load())(program, run, new AbortController().signal);
      const added = program.commands.map((command) => command.name());
      expect(added.filter((name) => name !== "describe")).toEqual(names);
    }
    const shown = groups.flatMap(({ names }) => names).filter((name) => !hidden.includes(name));
    expect(described.commands.map(({ name }) => name)).toEqual(shown);
  });

  it("is its own group, wherever the global options stand", () => {
    const name = fc.constantFrom(...groups.flatMap(({ names }) => names));
    const option = fc.constantFrom(
      ["--json"],
      ["--verbose"],
      ["-c", "score"],
      ["--config", "a b.yaml"],
      ["--config=run"],
    );
    fc.assert(
      fc.property(name, fc.array(option), (command, options) => {
        const found = groupsFor([...options.flat(), command, "label"]);
        expect(found).toHaveLength(1);
        expect(found[0]!.names).toContain(command);
      }),
    );
    for (const other of [[], ["help", "score"], ["scor"], ["--help"]]) expect(groupsFor(other)).toBe(groups);
  });

  it("version and help need a small part of it, and say what all of it would", () => {
    expect(leaf("--version").stdout).toBe(`${JSON.parse(readFileSync("package.json", "utf8")).version}\n`);
    const quick = leaf("--help");
    expect(quick.stdout).toBe(leaf("--verbose", "--help").stdout);
    expect(leaf("-h").stdout).toBe(quick.stdout);
    expect(bytesOf("cli.js")).toBeLessThan(300_000);
  });
});

describe("what status loads", () => {
  it("is no picture library, no network, no teacher's client and no tables that the folder has none of", () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, "photos"));
    writeFileSync(path.join(folder, "photos", "a.png"), "no picture");
    writeFileSync(path.join(folder, "leaf.yaml"), "images: photos\n");
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--require", path.resolve("test/cli/loaded.cjs"), path.join(dist, "cli.js"), "status"],
      { encoding: "utf8", cwd: folder },
    );
    expect([status, stdout.match(/missing/g)?.length]).toEqual([0, 4]);
    const { packages, builtin } = JSON.parse(stderr.split("\n").at(-1)!) as Record<string, string[]>;
    const loaded = packages!.filter((file) => /node_modules/.test(file));
    expect(loaded.filter((file) => !/loaded\.cjs$/.test(file))).toEqual([]);
    expect(builtin!.filter((name) => /undici|NativeModule http$|NativeModule https$/.test(name))).toEqual([]);
    // Of LEAF's own and what is bundled with it: 3.0 MB before each part was loaded where it is used.
    const [command] = globSync("cli-status-*.js", { cwd: dist });
    const seen = new Set<string>();
    const bytes = ["cli.js", program(), command!].reduce((sum, name) => sum + bytesOf(name, seen), 0);
    expect(bytes).toBeLessThan(1_600_000);
    expect([...seen].map((name) => readFileSync(path.join(dist, name), "utf8")).join("")).not.toMatch(
      /^\/\/ node_modules\/(read-excel-file|hyparquet|https-proxy-agent)\//m,
    );
  });
});

describe("leaf completion", () => {
  it.each(shells)("%s: knows all commands and their options", (shell) => {
    const { stdout, status } = leaf("completion", shell);
    expect(status).toBe(0);
    expect(stdout).toBe(`${completionScript(shell, described)}\n`);
    for (const { name } of described.commands) expect(stdout).toContain(name);
    expect(stdout).toContain("config");
  });

  it("completes in bash: commands, subcommands, options and choices", () => {
    const complete = (...words: string[]) => {
      const script = `${completionScript("bash", described)}
COMP_WORDS=(leaf ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _leaf; echo "\${COMPREPLY[*]}"`;
      const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
      expect(stderr).toBe("");
      return stdout.trim().split(" ").filter(Boolean);
    };
    expect(complete("sco")).toEqual(["score"]);
    expect(complete("-c", "x.yaml", "labels", "m")).toEqual(["merge"]);
    expect(complete("completion", "")).toEqual(expect.arrayContaining([...shells]));
    expect(complete("status", "--")).toEqual(expect.arrayContaining(["--config", "--json"]));
    // A file of that name is no command.
    expect(complete("score", "labels", "m")).toEqual([]);
  });

  it("refuses a shell that it does not know, and names those that it does", () => {
    const { status, stderr } = leaf("completion", "tcsh");
    expect(status).toBe(2);
    expect(stderr).toMatch(/bash, zsh, fish, powershell/);
  });
});

describe("what the editor loads, as it is published", () => {
  it("the panel comes without what its first picture does not need", async () => {
    const { metafile } = await build({
      ...panelBuild("/", { minify: true }),
      write: false,
      metafile: true,
    });
    const { first, later } = loadedOf(metafile!, "panel.js");
    expect(first.bytes).toBeLessThan(400_000);
    // Charts wait for the first that is looked at.
    expect(first.inputs.filter((file) => /observablehq|d3-/.test(file))).toEqual([]);
    expect(later.inputs.join()).toMatch(/observablehq/);
  });

  it("the extension starts with a small file, the client of its server apart", async () => {
    const [extension] = extensionBuilds("/", { production: true });
    const { metafile } = await build({ ...extension, write: false, metafile: true });
    const { first } = loadedOf(metafile!, "extension.cjs");
    expect(first.bytes).toBeLessThan(150_000);
    expect(first.inputs.filter((file) => /vscode-languageclient|zod/.test(file))).toEqual([]);
  });
});

/** Of an entry file: what it loads at once, and what it may load later. */
function loadedOf({ outputs }: Metafile, name: string) {
  const of = (files: ReadonlySet<string>) => ({
    bytes: [...files].reduce((sum, file) => sum + outputs[file]!.bytes, 0),
    inputs: [...files].flatMap((file) => Object.keys(outputs[file]!.inputs)),
  });
  const first = new Set([Object.keys(outputs).find((file) => path.basename(file) === name)!]);
  const later = new Set<string>();
  for (const file of first)
    for (const { path: to, kind } of outputs[file]!.imports)
      if (outputs[to]) (kind === "dynamic-import" ? later : first).add(to);
  return { first: of(first), later: of(later) };
}

const program = () => globSync("cli-program-*.js", { cwd: dist })[0]!;

/** Of a file in dist/ and of all that it imports before it runs. */
function bytesOf(name: string, seen = new Set<string>()): number {
  if (seen.has(name)) return 0;
  seen.add(name);
  const file = path.join(dist, name);
  const imported = readFileSync(file, "utf8").matchAll(
    /^(?:import|export)[^;]*?from "\.\/([^"]+)";|^import "\.\/([^"]+)";/gms,
  );
  return [...imported].reduce(
    (sum, [, from, bare]) => sum + bytesOf(from ?? bare!, seen),
    statSync(file).size,
  );
}
