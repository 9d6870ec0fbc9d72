import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../../src/engine/config/config.ts";
import { initProject } from "../../../src/engine/config/init.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { temporaryFolder } from "../../support/pictures.ts";

test("names the folder of links to images, and one that is a link itself", async () => {
  const elsewhere = temporaryFolder();
  for (const name of ["a.jpg", "b.png"]) writeFileSync(path.join(elsewhere, name), "");
  const links = temporaryFolder();
  mkdirSync(path.join(links, "images"));
  for (const name of ["a.jpg", "b.png"])
    symlinkSync(path.join(elsewhere, name), path.join(links, "images", name));
  symlinkSync(path.join(links, "nowhere.jpg"), path.join(links, "images", "dangling.jpg"));
  expect(await initProject(links, { force: false })).toMatchObject({ folder: "images", images: 2 });

  const linked = temporaryFolder();
  symlinkSync(elsewhere, path.join(linked, "shots"));
  expect(await initProject(linked, { force: false })).toMatchObject({ folder: "shots", images: 2 });
  expect(await initProject(temporaryFolder(), { force: false })).toMatchObject({
    folder: "photos",
    images: 0,
  });
});

test("each setting that is commented out is a valid one with a reason before it", async () => {
  const { file } = await initProject(temporaryFolder(), { force: false });
  const lines = readFileSync(file, "utf8").split("\n");
  const setting = /^( +)# (\w+: (?!an?\b).*)$/;
  const found = lines.flatMap((line, i) => (setting.test(line) ? [i] : []));
  expect(found.map((i) => setting.exec(lines[i]!)![2]!.split(":")[0])).toEqual([
    "input",
    "keep",
    "epochs",
    "headOnlyBelow",
  ]);
  for (const i of found) {
    expect(lines[i - 1]).toMatch(/^ +# [A-Z].*\.$/);
    const [, indent, text] = setting.exec(lines[i]!)!;
    const key = `${indent}${text!.split(":")[0]}:`;
    // In place of the line that says the same key, where there is one.
    const others = lines.filter((line, at) => at === i || !line.startsWith(key));
    const written = others.map((line) => (line === lines[i] ? `${indent}${text}` : line)).join("\n");
    expect(configSchema.safeParse(parse(written)).success, text).toBe(true);
  }
});

test("offers the teacher by opposite texts where no GPU is seen, as a line that only has to be uncommented", async () => {
  const { file } = await initProject(temporaryFolder(), { force: false });
  const text = readFileSync(file, "utf8");
  const written = parseConfig(text);
  expect(written.ok && written.config.teacher.kind).toBe("embedded");
  const offered = /^# (teacher: \{ kind: clip,.*\})$/m.exec(text)?.[1];
  if (existsSync("/proc/driver/nvidia/version")) return expect(offered).toBeUndefined();
  const changed = parseConfig(text.replace(/^teacher: .*$/m, offered!));
  expect(changed.ok && changed.config.teacher).toMatchObject({
    kind: "clip",
    model: "google/siglip-base-patch16-224",
  });
});
