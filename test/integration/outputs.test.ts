import { cpSync, linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

// A project with labels of the embedded teacher, and a student that was trained elsewhere in the place of its own.
const { dir, remove } = temporaryFolder();
const at = (name: string) => path.join(dir, name);
const text = (name: string) => readFileSync(at(name), "utf8");
const photo = "photos/coffee_000.png";
let scores: string;

beforeAll(async () => {
  await makeWorkspace(dir, 12);
  await leafJson(dir, "label");
  const run = JSON.parse(text(".leaf/runs/r1/run.json"));
  run.stages.distill = { key: "0000000000000000", seconds: 1, result: {} };
  writeFileSync(at(".leaf/runs/r1/run.json"), JSON.stringify(run));
  cpSync("test/fixtures/student", at(".leaf/stages/distill/0000000000000000"), { recursive: true });
  // Where the human scores are called as `leaf export scores` calls its file.
  scores = text("mos.csv");
  writeFileSync(at("leaf.yaml"), text("leaf.yaml").replace("mos.csv", "scores.csv"));
  rmSync(at("mos.csv"));
}, 120_000);
beforeEach(() => writeFileSync(at("scores.csv"), scores));
afterAll(remove);

test("no command writes over an input, with or without --force, however it is spelled", {
  timeout: 120_000,
}, async () => {
  symlinkSync("scores.csv", at("link.csv"));
  linkSync(at("scores.csv"), at("hard.csv"));
  symlinkSync(".", at("here"));
  const photoBefore = readFileSync(at(photo));
  const configBefore = text("leaf.yaml");
  for (const args of [
    ["export", "scores"],
    ["export", "scores", "-o", at("scores.csv"), "--force"],
    ["export", "scores", "-o", "link.csv", "--force"],
    ["export", "scores", "-o", "hard.csv"],
    ["select", "--strategy", "random", "--out", "here/photos/../scores.csv"],
    ["report", "-o", "leaf.yaml", "--force"],
    ["heatmap", photo, "-o", photo],
    ["heatmap", photo, "-o", "photos/china_001.png", "--force"],
    ["export", "student", "-o", ".leaf/stages/distill/0000000000000000", "--force"],
  ]) {
    const { code, stderr } = await leaf(dir, ...args);
    expect(code, `${args.join(" ")}: ${stderr}`).toBe(2);
    expect(stderr).toMatch(/leaf: .+: LEAF never writes over its inputs\.\n {2}Give another name\.\n$/);
  }
  for (const name of ["scores.csv", "link.csv", "hard.csv"]) expect(text(name)).toBe(scores);
  expect(readFileSync(at(photo)).equals(photoBefore)).toBe(true);
  expect(text("leaf.yaml")).toBe(configBefore);
});

test("a file that LEAF wrote is written again until somebody has changed it", {
  timeout: 60_000,
}, async () => {
  const exported = () => leaf(dir, "export", "scores", "-o", "student.csv");
  expect((await exported()).code).toBe(0);
  const first = text("student.csv");
  expect(first.split("\n")).toHaveLength(14);
  expect((await exported()).code).toBe(0);
  expect(text("student.csv")).toBe(first);
  writeFileSync(at("student.csv"), `${first}# my note\n`);
  const { code, stderr } = await exported();
  expect([code, stderr.split("\n").slice(-3).join("\n")]).toEqual([
    2,
    "leaf: student.csv was changed since LEAF wrote it.\n  Give another name, or overwrite it with --force.\n",
  ]);
  expect(text("student.csv")).toContain("# my note");
  expect((await leaf(dir, "export", "scores", "-o", "student.csv", "--force")).code).toBe(0);
  expect(text("student.csv")).toBe(first);
});

test("nothing of a folder is written where one of its files is somebody's", { timeout: 60_000 }, async () => {
  for (const [args, theirs, others] of [
    [["export", "labels", "-o", "folder"], "points.csv", ["pairs.csv"]],
    [["labels", "export", "folder"], "pairs.parquet", ["points.parquet"]],
    [["export", "student", "-o", "folder"], "MODEL_CARD.md", ["student.onnx", "student.json"]],
  ] as const) {
    mkdirSync(at("folder"));
    writeFileSync(at(`folder/${theirs}`), "mine");
    const { code, stderr } = await leaf(dir, ...args);
    expect([code, stderr], args.join(" ")).toEqual([
      2,
      expect.stringContaining(`${theirs} is there and LEAF did not write it.`),
    ]);
    expect(text(`folder/${theirs}`)).toBe("mine");
    for (const name of others) expect(() => text(`folder/${name}`)).toThrow("ENOENT");
    expect((await leaf(dir, ...args, "--force")).code).toBe(0);
    expect((await leaf(dir, ...args)).code).toBe(0);
    rmSync(at("folder"), { recursive: true });
  }
});

test("also where there is no project, and where a project is made", { timeout: 60_000 }, async () => {
  const elsewhere = temporaryFolder();
  try {
    const heat = ["heatmap", at(photo), "--student", path.resolve("test/fixtures/student")];
    writeFileSync(path.join(elsewhere.dir, "a.png"), "mine");
    expect((await leaf(elsewhere.dir, ...heat, "-o", "a.png")).code).toBe(2);
    expect(readFileSync(path.join(elsewhere.dir, "a.png"), "utf8")).toBe("mine");
    expect((await leaf(elsewhere.dir, ...heat)).code).toBe(0);
    writeFileSync(path.join(elsewhere.dir, "mos.csv"), "mine");
    const { code, stderr } = await leaf(elsewhere.dir, "init", "--demo", ".");
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("mos.csv is there and LEAF did not write it."),
    ]);
    expect(readFileSync(path.join(elsewhere.dir, "mos.csv"), "utf8")).toBe("mine");
    symlinkSync("nowhere.yaml", path.join(elsewhere.dir, "leaf.yaml"));
    expect((await leaf(elsewhere.dir, "init")).code).toBe(0);
    expect(readFileSync(path.join(elsewhere.dir, "nowhere.yaml"), "utf8")).toContain("images:");
  } finally {
    elsewhere.remove();
  }
});
