import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { imageExtensions } from "../../src/extension/images/imageFiles.ts";
import { contextKeys } from "../../src/extension/projects/contextKeys.ts";

const text = readFileSync("package.json", "utf8");
const manifest = JSON.parse(text);
const texts: Record<string, string> = JSON.parse(readFileSync("package.nls.json", "utf8"));
const { contributes } = manifest;

describe("package.json", () => {
  it("takes every text from package.nls.json, and leaves none unused", () => {
    const used = [...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key!);
    expect(Object.keys(texts).sort()).toEqual([...new Set(used)].sort());
  });

  it("names pictures that are there", () => {
    const pictures = [
      manifest.icon,
      contributes.viewsContainers.activitybar[0].icon,
      ...contributes.walkthroughs[0].steps.map(({ media }: { media: { svg: string } }) => media.svg),
    ];
    for (const picture of pictures) expect(existsSync(picture), picture).toBe(true);
  });

  it("asks only for context keys that are set", () => {
    const asked = new Set(
      [...text.matchAll(/leaf\.(?:has\w+|running|rateable|startable|starting|serverBroken)/g)].map(
        ([key]) => key,
      ),
    );
    const set = [...Object.keys(contextKeys([])), "leaf.starting", "leaf.serverBroken"];
    expect([...asked].filter((key) => !set.includes(key))).toEqual([]);
  });

  it("offers scoring for exactly the files that LEAF reads as images", () => {
    const { when } = contributes.menus["leaf.explorer"].find(
      ({ command }: { command: string }) => command === "leaf.score",
    );
    const [, listed] = /resourceExtname =~ \/\^\\\.\(([^)]+)\)/.exec(when)!;
    expect(listed!.split("|").sort()).toEqual([...imageExtensions].sort());
  });

  it("puts into menus only commands that it declares", () => {
    const declared = new Set(contributes.commands.map(({ command }: { command: string }) => command));
    const listed = Object.values(contributes.menus as Record<string, { command?: string }[]>).flat();
    for (const { command } of [...listed, ...contributes.keybindings])
      if (command) expect(declared.has(command), command).toBe(true);
    const linked = Object.values(texts).flatMap((one) => [...one.matchAll(/command:(leaf\.\w+)/g)]);
    for (const [, command] of linked) expect(declared.has(command), command).toBe(true);
  });

  it("offers a report where there are runs: in the palette, the Pipeline view and on one run", () => {
    const report = contributes.commands.find(
      ({ command }: { command: string }) => command === "leaf.writeReport",
    );
    expect(report.enablement).toBe("leaf.hasRuns");
    const places = (menu: string): string[] =>
      contributes.menus[menu]
        .filter(({ command }: { command: string }) => command === "leaf.writeReport")
        .map(({ when }: { when: string }) => when);
    expect(places("view/title")).toEqual(["view == leaf.pipeline && leaf.hasRuns"]);
    expect(places("view/item/context")).toEqual([
      expect.stringMatching(/^view == leaf\.runs .*!listMultiSelection$/),
    ]);
    expect(places("commandPalette")).toEqual([]);
  });

  it("lets no folder choose what runs, nor which keys may be sent where", () => {
    const { properties } = contributes.configuration;
    for (const name of [
      "python.interpreter",
      "teacher.allowedKeyVariables",
      "teacher.allowLinkLocal",
      "cluster.address",
      "cluster.workerGpus",
    ])
      expect(properties[`leaf.${name}`].scope, name).toBe("machine");
    // Every other setting that names a program, a key or an endpoint would belong here.
    const others = Object.entries(properties as Record<string, { scope?: string }>)
      .filter(([, { scope }]) => scope !== "machine")
      .map(([name]) => name);
    expect(
      others.filter((name) =>
        /python|interpreter|command|key|secret|endpoint|teacher|proxy|path|address|cluster/i.test(name),
      ),
    ).toEqual([]);
    expect(manifest.capabilities.untrustedWorkspaces.supported).toBe(false);
  });

  it("has key bindings inside a config's editor only", () => {
    for (const { when } of contributes.keybindings)
      expect(when).toMatch(/editorTextFocus && resourceFilename/);
  });
});

describe("German", () => {
  const read = (file: string) => JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  /** Places, code and addresses of commands stay as they are. */
  const kept = (text: string) =>
    [...text.matchAll(/\{\w+\}|`[^`]*`|\]\([^)]*\)|\$\([\w-]+\)/g)].map(String).sort();

  it.each([
    ["l10n/bundle.l10n.json", "l10n/bundle.l10n.de.json"],
    ["package.nls.json", "package.nls.de.json"],
  ])("says all of %s, with the same places and code", (english, german) => {
    const [texts, translated] = [read(english), read(german)];
    expect(Object.keys(translated)).toEqual(Object.keys(texts));
    for (const [key, text] of Object.entries(texts))
      expect(kept(translated[key]!), translated[key]).toEqual(kept(text));
  });
});

describe("l10n/bundle.l10n.json", () => {
  it("holds the texts of the sources", async () => {
    await promisify(execFile)(process.execPath, ["scripts/l10n.js", "--check"]);
  });
});
