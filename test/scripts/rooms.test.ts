import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { faultsOf, rooms } from "../../scripts/rooms.js";

const textsOf = (faults: { text: string }[]) => faults.map(({ text }) => text);

describe("the layers of the sources", () => {
  it("hold in all files there are, and no file is outside of them", () => {
    const files = globSync(["src/**/*.ts", "webview/**/*.ts"]).map((file) => file.replaceAll("\\", "/"));
    expect(files.length).toBeGreaterThan(500);
    expect(faultsOf(new Map(files.map((file) => [file, readFileSync(file, "utf8")])))).toEqual([]);
  });

  it.each([
    [
      "src/engine/labels/a.ts",
      'import { b } from "../pipeline/b.ts";',
      "engine/labels may not import engine/pipeline",
    ],
    [
      "src/engine/base/a.ts",
      'import type { B } from "../config/b.ts";',
      "engine/base may not import engine/config",
    ],
    [
      "src/extension/panel/a.ts",
      'const b = await import("../../engine/labels/b.ts");',
      "extension may not import engine/labels",
    ],
    ["src/server/a.ts", 'export { b } from "../cli/b.ts";', "server may not import cli"],
    [
      "webview/gallery/a.ts",
      'import "../../src/engine/images/b.ts";',
      "webview may not import engine/images",
    ],
    ["src/engine/jobs/a.ts", 'import * as vscode from "vscode";', "engine/jobs may not import vscode"],
    ["src/words/a.ts", 'import path from "node:path";', "words may not import node:path"],
    ["src/engine/misc/a.ts", "", "stands in no room"],
  ])("are broken by a wrong import: %s", (file, line, text) => {
    expect(textsOf(faultsOf(new Map([[file, `\n${line}`]])))).toEqual([expect.stringContaining(text)]);
  });

  it("are broken by a circle, also one of types", () => {
    const sources = new Map([
      ["src/engine/labels/a.ts", 'import type { B } from "./b.ts";'],
      ["src/engine/labels/b.ts", 'import { c } from "./c.ts";'],
      ["src/engine/labels/c.ts", 'import { a } from "./a.ts";'],
      ["src/engine/labels/d.ts", 'import { a } from "./a.ts";'],
    ]);
    const [fault, ...more] = faultsOf(sources);
    expect(more).toEqual([]);
    expect(fault!.text).toMatch(/^a circle of imports: (?!.*d\.ts).*a\.ts.*b\.ts.*c\.ts/);
  });

  it("allow what stands below", () => {
    const sources = new Map(rooms.slice(0, 26).map((room) => [`src/${room}/a.ts`, ""]));
    sources.set(
      "src/engine/ratings/b.ts",
      [...sources.keys()].map((file) => `import "../../${file.slice(4)}";`).join("\n"),
    );
    expect(faultsOf(sources)).toEqual([]);
  });
});
