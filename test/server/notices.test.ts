import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  bundledPackages,
  packageNotices,
  packagesIn,
  thirdPartyNotices,
} from "../../scripts/package/notices.js";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "leaf-notices-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function addPackage(name: string, manifest: object, files: Record<string, string> = {}): string {
  const folder = path.join(dir, "node_modules", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, version: "1.2.3", ...manifest }));
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
  return folder;
}

test("a bundle's packages are found, also those inside others, and nothing that it left out", async () => {
  const index = { "index.js": 'import "inner"; console.log("outer");' };
  addPackage("@scope/outer", { license: "MIT" }, index);
  addPackage("@scope/outer/node_modules/inner", { name: "inner" }, { "index.js": 'console.log("inner");' });
  addPackage("unused", { license: "MIT", sideEffects: false }, { "index.js": "export const x = 1;" });
  writeFileSync(path.join(dir, "entry.js"), 'import "@scope/outer"; import { x } from "unused";');
  const { metafile } = await build({
    entryPoints: [path.join(dir, "entry.js")],
    absWorkingDir: dir,
    bundle: true,
    write: false,
    metafile: true,
  });
  expect(bundledPackages([metafile])).toEqual([
    "node_modules/@scope/outer",
    "node_modules/@scope/outer/node_modules/inner",
  ]);
});

test("a package's own words come first; one without a file gets the text of the licence it names", () => {
  addPackage("a", { license: "ISC" }, { LICENSE: "the words of a", "NOTICE.md": "and its notice" });
  addPackage("@b/c", { license: "MIT", author: { name: "Ada" } });
  const notices = packageNotices(packagesIn(path.join(dir, "node_modules")));
  expect(notices).toMatch(/\na 1\.2\.3\n[\s\S]*the words of a\n\nand its notice/);
  expect(notices).toMatch(/\n@b\/c 1\.2\.3\n[\s\S]*Copyright \(c\) Ada\n[\s\S]*WITHOUT WARRANTY/);
});

test.each([
  ["GPL-3.0-only", "is under GPL-3.0-only"],
  [undefined, "is under undefined"],
  ["Apache-2.0", "has no licence file"],
])("a package under %s is not shipped without a decision", (license, why) => {
  const folder = addPackage("odd", { license });
  expect(() => packageNotices([folder])).toThrow(why);
});

test("the real dependencies may all be shipped", () => {
  const notices = thirdPartyNotices([
    "node_modules/zod",
    "node_modules/onnxruntime-node",
    "node_modules/sharp",
  ]);
  expect(notices).toMatch(/\nonnxruntime-node 1\.[\s\S]*Microsoft/);
  expect(notices).toContain("| coffee.jpg ");
});
