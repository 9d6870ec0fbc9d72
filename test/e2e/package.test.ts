import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyNatives } from "../../scripts/package/natives.js";
import { makeWorkspace } from "../integration/workspace.ts";
import { installExtension } from "./support/codeServer.ts";
import { vsixFile } from "./support/package.ts";

const home = mkdtempSync(path.join(tmpdir(), "leaf-package-"));
let extension: string;
let files: string[];
beforeAll(async () => {
  await installExtension(home);
  const [folder] = readdirSync(path.join(home, "extensions")).filter((name) => name.startsWith("leaf-iqa."));
  extension = path.join(home, "extensions", folder!);
  files = list(extension);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const native = /\.(node|dll|dylib|so(\.[\d.]+)?)$/;
const leaf = (cwd: string, ...args: string[]) =>
  spawnSync(process.execPath, [path.join(extension, "dist", "cli.js"), ...args], { cwd, encoding: "utf8" });

test("is under 60 MB and holds only this platform's binaries", () => {
  expect(statSync(vsixFile()).size).toBeLessThan(60e6);
  const [os, cpu] = [process.platform, process.arch];
  const natives = files.filter((file) => native.test(file));
  expect(natives.filter((file) => file.includes("onnxruntime-node/bin/"))).not.toEqual([]);
  expect(natives.filter((file) => file.includes("@img/sharp-"))).not.toEqual([]);
  for (const file of natives) expect(file).toMatch(new RegExp(`/${os}/${cpu}/|-${os}-${cpu}/`));
});

test("holds what the allow-list names and nothing else", () => {
  const top = new Set(files.map((file) => file.split("/")[0]));
  for (const name of top)
    expect(name).toMatch(
      /^(assets|bin|demo|dist|l10n|media|src|LICENSE\.txt|ThirdPartyNotices\.txt|package(\.nls(\.[a-z]+)?)?\.json|readme\.md|changelog\.md|\.vsixmanifest)$/,
    );
  expect(files.filter((file) => /\.(map|ts|vsix|pyc|sqlite)$|(^|\/)(tests?|\.env)(\/|$)/.test(file))).toEqual(
    [],
  );
  expect(
    files.filter((file) => file.startsWith("demo/photos/") && file.endsWith(".jpg")).length,
  ).toBeGreaterThan(15);
  expect(files).toEqual(
    expect.arrayContaining([
      "assets/embedded-teacher/model.onnx",
      "dist/extension.cjs",
      "dist/languageClient.cjs",
      "dist/server.js",
      "dist/scorer.js",
      "dist/webview/panel.js",
      "dist/webview/codicon.ttf",
      "src/python/requirements.txt",
      "src/python/requirements-cpu.txt",
      "src/python/requirements-cuda.txt",
      "src/python/requirements-ray.txt",
      "src/python/leaf/no_telemetry.json",
      "src/python/leaf/train.py",
      "src/python/leaf/contract/trainer.py",
    ]),
  );
});

test("tells the licence of everything that others made", () => {
  const notices = readFileSync(path.join(extension, "ThirdPartyNotices.txt"), "utf8");
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const natives = files.flatMap(
    (file) => /^dist\/node_modules\/((?:@[^/]+\/)?[^/]+)\/package\.json$/.exec(file)?.[1] ?? [],
  );
  expect(natives).toContain("onnxruntime-node");
  for (const name of [...Object.keys(dependencies), ...natives]) expect(notices).toContain(`\n${name} `);
  const photos = files.filter((file) => /^demo\/photos\/.+\.jpg$/.test(file));
  for (const photo of photos) expect(notices).toContain(`| ${path.basename(photo)} `);
  expect(notices).toContain("EfficientNet-Lite0");
});

test("names every file that the manifest points to", () => {
  const manifest = JSON.parse(readFileSync(path.join(extension, "package.json"), "utf8"));
  const named = [...JSON.stringify(manifest).matchAll(/"(?:\.\/)?((?:media|dist|l10n)\/[^"]+?)"/g)].map(
    ([, file]) => file,
  );
  expect(files).toEqual(expect.arrayContaining(named.filter((file) => !file?.endsWith("/"))));
  expect(manifest.icon).toBeTypeOf("string");
});

test("works as a command outside the repository, with the embedded teacher", async () => {
  const folder = path.join(home, "somewhere");
  await makeWorkspace(folder, 4);
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(leaf(folder, "--version").stdout.trim()).toBe(version);
  const { status, stdout, stderr } = leaf(folder, "label", "--json");
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const { points, checks } = JSON.parse(stdout);
  expect(points.labelled + checks.points.labelled).toBe(4);
  expect(points.failed + checks.points.failed).toBe(0);
});

test("another platform's package gets that platform's binaries", () => {
  const out = path.join(home, "windows");
  copyNatives("win32-x64", out);
  const natives = list(out).filter((file) => native.test(file));
  expect(natives.filter((file) => /win32[-/]x64/.test(file))).toEqual(natives);
  expect(natives.map((file) => path.basename(file))).toEqual(
    expect.arrayContaining(["onnxruntime.dll", "onnxruntime_binding.node", "libvips-42.dll"]),
  );
});

function list(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"));
}
