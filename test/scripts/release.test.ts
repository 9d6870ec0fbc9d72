import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { faultsOf, notesOf, wheelFault } from "../../scripts/release/contents.js";

const wanted = { target: "linux-x64", version: "1.2.3" };
const native = {
  "extension/dist/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node": "x",
  "extension/dist/node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node": "x",
};
const good: Record<string, string> = {
  "[Content_Types].xml": "",
  "extension.vsixmanifest": '<Identity TargetPlatform="linux-x64" />',
  "extension/package.json": '{ "version": "1.2.3" }',
  ...Object.fromEntries(
    [
      "readme.md",
      "changelog.md",
      "LICENSE.txt",
      "ThirdPartyNotices.txt",
      "bin/leaf.js",
      "assets/embedded-teacher/model.onnx",
      "dist/extension.cjs",
      "dist/server.js",
      "dist/scorer.js",
      "dist/cli.js",
      "dist/commands.json",
      "dist/webview/panel.js",
      "src/python/leaf/train.py",
      "src/python/requirements.txt",
    ].map((name) => [`extension/${name}`, ""]),
  ),
  ...native,
};
const vsix = (files: Record<string, string>) =>
  zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));

describe("a package that is to be published", () => {
  it("is as it should be", () => {
    expect(faultsOf(vsix(good), wanted)).toEqual([]);
  });

  it.each([
    ["extension/.env", "", "extension/.env should not be in it."],
    ["extension/dist/cli.js.map", "", "extension/dist/cli.js.map should not be in it."],
    ["extension/test/a.ts", "", "extension/test/a.ts should not be in it."],
    ["extension/notes.txt", "", "extension/notes.txt should not be in it."],
    [
      "extension/dist/node_modules/onnxruntime-node/bin/napi-v6/darwin/arm64/a.dylib",
      "",
      "extension/dist/node_modules/onnxruntime-node/bin/napi-v6/darwin/arm64/a.dylib is for darwin-arm64.",
    ],
    ["extension/package.json", '{ "version": "1.2.2" }', "extension/package.json is not of version 1.2.3."],
    ["extension.vsixmanifest", 'TargetPlatform="win32-x64"', "extension.vsixmanifest is not for linux-x64."],
  ])("with %s it is not", (name, text, fault) => {
    expect(faultsOf(vsix({ ...good, [name]: text }), wanted)).toEqual([fault]);
  });

  it("misses nothing", () => {
    for (const name of Object.keys(good).filter((one) => !one.startsWith("["))) {
      const { [name]: _, ...rest } = good;
      expect(faultsOf(vsix(rest), wanted), name).toHaveLength(1);
    }
    expect(faultsOf(strToU8("no zip"), wanted)[0]).toMatch(/^It is no zip file/);
  });
});

describe("the wheel of leaf-iqa", () => {
  it("is there, alone and of this version", () => {
    expect(wheelFault(["leaf_iqa-1.2.3-py3-none-any.whl"], "1.2.3")).toBeUndefined();
    expect(wheelFault(["leaf_iqa-1.2.2-py3-none-any.whl"], "1.2.3")).toMatch(/holds leaf_iqa-1.2.2/);
    expect(
      wheelFault(["leaf_iqa-1.2.3-py3-none-any.whl", "numpy-2.0-py3-none-any.whl"], "1.2.3"),
    ).toBeTruthy();
    expect(wheelFault([], "1.2.3")).toMatch(/holds nothing/);
  });
});

describe("release notes", () => {
  const changelog =
    "# Changelog\n\n## 1.2.30 (2026)\n\n- c\n\n## 1.2.3 (unreleased)\n\n- a\n- b\n\n## 1.2.2\n\n- z\n";

  it("are the section of the version", () => {
    expect(notesOf(changelog, "1.2.3")).toBe("- a\n- b");
    expect(notesOf(changelog, "1.2.2")).toBe("- z");
    expect(notesOf(changelog, "1.2")).toBeUndefined();
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(notesOf(readFileSync("CHANGELOG.md", "utf8"), version)).toBeTruthy();
  });
});

describe("the repository's own files", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const workflows = path.resolve(".github/workflows");

  it("run scripts that are there, with no more rights than they need, and each action at a version", () => {
    for (const name of readdirSync(workflows)) {
      const document = parseDocument(readFileSync(path.join(workflows, name), "utf8"));
      expect(document.errors, name).toEqual([]);
      const workflow = document.toJS();
      expect(workflow.permissions, name).toEqual({ contents: "read" });
      const steps = Object.values<{ steps: { run?: string; uses?: string }[] }>(workflow.jobs).flatMap(
        (job) => job.steps,
      );
      expect(steps.length).toBeGreaterThan(0);
      for (const { run, uses } of steps) {
        const script = /npm run ([\w:]+)/.exec(run ?? "")?.[1];
        if (script) expect(scripts).toHaveProperty([script]);
        if (uses) expect(uses).toMatch(/^actions\/[\w-]+@v\d+$/);
      }
    }
  });

  const workflow = (name: string) => parseDocument(readFileSync(path.join(workflows, name), "utf8")).toJS();

  it("test every system and every Python that LEAF names", () => {
    const { os, python } = workflow("ci.yml").jobs.test.strategy.matrix;
    expect(os).toEqual(["ubuntu-latest", "macos-latest", "windows-latest"]);
    expect(python).toEqual(["3.11", "3.12", "3.13", "3.14"]);
    expect(readFileSync("docs/getting-started.md", "utf8")).toContain(
      `Python ${python[0]} to ${python.at(-1)}`,
    );
  });

  it("publish only from the environment that a person approves, and only what was checked", () => {
    const { build, publish } = workflow("release.yml").jobs;
    const secrets = (job: unknown) => JSON.stringify(job).includes("secrets.");
    expect([secrets(build), secrets(publish), publish.environment]).toEqual([false, true, "marketplace"]);
    const runs = publish.steps.map(({ run = "" }: { run?: string }) => run);
    const at = (text: string) => runs.findIndex((run: string) => run.includes(text));
    expect(at("sha256sum --check")).toBeGreaterThan(-1);
    for (const step of ["vsce publish", "ovsx", "gh release create"])
      expect(at(step), step).toBeGreaterThan(at("sha256sum --check"));
  });

  it("are forms that GitHub can read", () => {
    const forms = path.resolve(".github/ISSUE_TEMPLATE");
    for (const name of readdirSync(forms)) {
      const document = parseDocument(readFileSync(path.join(forms, name), "utf8"));
      expect(document.errors, name).toEqual([]);
      const { body = [] } = document.toJS();
      for (const { type, id, attributes } of body) {
        expect(type).toMatch(/^(textarea|input)$/);
        expect(id).toMatch(/^\w+$/);
        expect(attributes.label).toBeTypeOf("string");
      }
    }
  });
});
