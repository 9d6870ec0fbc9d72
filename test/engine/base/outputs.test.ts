import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { checkOutputs, type OutputRules, withOutput, writeOutput } from "../../../src/engine/base/outputs.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { inputOf, outputRules } from "../../../src/engine/pipeline/projectInputs.ts";
import { inEnglish, say } from "../../../src/words/text.ts";
import { putIndex } from "../../support/liveWorld.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

test("without force nothing that a person wrote is lost, with it no input", async () => {
  const name = fc.constantFrom("a.csv", "sub/b.html", "mos.csv");
  const step = fc.oneof(
    fc.record({ kind: fc.constant("leaf" as const), name, text: fc.string(), force: fc.boolean() }),
    fc.record({ kind: fc.constant("person" as const), name, text: fc.string(), force: fc.constant(false) }),
    fc.record({
      kind: fc.constant("remove" as const),
      name,
      text: fc.constant(""),
      force: fc.constant(false),
    }),
  );
  const dir = temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      rmSync(dir, { recursive: true, force: true });
      mkdirSync(path.join(dir, "sub"), { recursive: true });
      writeFileSync(path.join(dir, "mos.csv"), "image,mos\n");
      /** What stands in each file, and whose it is. */
      const is = new Map([["mos.csv", { text: "image,mos\n", own: false }]]);
      for (const { kind, name, text, force } of steps) {
        const file = path.join(dir, name);
        if (kind === "person") {
          writeFileSync(file, text);
          is.set(name, { text, own: is.get(name)?.own === true && is.get(name)?.text === text });
        } else if (kind === "remove") {
          rmSync(file, { force: true });
          is.delete(name);
        } else {
          const rules: OutputRules = {
            force,
            registry: path.join(dir, ".leaf", "outputs.json"),
            inputs: [{ file: path.join(dir, "mos.csv"), what: say`the human scores` }],
          };
          const before = is.get(name);
          const may = name !== "mos.csv" && (!before || before.own || force);
          const written = await writeOutput(file, text, rules).then(
            () => true,
            (error) => {
              expect(error).toMatchObject({ code: "usage" });
              return false;
            },
          );
          // Nothing is lost either where the file holds the same already.
          expect(written).toBe(may || before?.text === text);
          if (may && before?.text !== text) is.set(name, { text, own: true });
        }
        for (const [one, { text }] of is) expect(readFileSync(path.join(dir, one), "utf8")).toBe(text);
      }
    }),
    { numRuns: 60 },
  );
});

test("an input is known under all its names", async () => {
  const dir = temporaryFolder();
  mkdirSync(path.join(dir, "elsewhere/pictures"), { recursive: true });
  for (const name of ["elsewhere/pictures/a.png", "elsewhere/pictures/left out.png"])
    await picture().toFile(path.join(dir, name));
  symlinkSync("elsewhere/pictures", path.join(dir, "photos"));
  for (const name of ["mos.csv", "split.csv", "other.leaf.yaml", "ratio.experiment.yaml", "mine.csv"])
    writeFileSync(path.join(dir, name), name);
  writeFileSync(
    path.join(dir, "leaf.yaml"),
    'images: [photos, "!photos/left out.png"]\nmos: { file: mos.csv }\nsplit: { file: split.csv }\n' +
      "evaluate: { datasets: [{ name: far, images: none, mos: { file: far.csv } }] }\n",
  );
  symlinkSync("mos.csv", path.join(dir, "link.csv"));
  symlinkSync(dir, path.join(dir, "elsewhere/here"));
  linkSync(path.join(dir, "mos.csv"), path.join(dir, "hard.csv"));
  linkSync(path.join(dir, "elsewhere/pictures/a.png"), path.join(dir, "hard.png"));
  mkdirSync(path.join(dir, ".leaf"));
  writeFileSync(path.join(dir, ".leaf/labels.sqlite"), "");
  const project = await openProject(path.join(dir, "leaf.yaml"));
  const hash = hashBytes(readFileSync(path.join(dir, "photos/a.png")));
  putIndex(project, [{ path: "photos/a.png", hash }]);
  const what = async (name: string) => {
    const found = await inputOf(project, path.resolve(dir, name));
    return found && inEnglish(found);
  };
  const scores = "the file of human scores (`mos.file`)";
  for (const name of ["mos.csv", "./sub/../mos.csv", "link.csv", "hard.csv", "elsewhere/here/mos.csv"])
    expect(await what(name), name).toBe(scores);
  expect(await what("split.csv")).toBe("the file of the split (`split.file`)");
  expect(await what("far.csv")).toBe("the file of human scores of the dataset far");
  expect(await what("leaf.yaml")).toBe("the config");
  expect(await what("other.leaf.yaml")).toBe("a config");
  expect(await what("ratio.experiment.yaml")).toBe("a config");
  expect(await what(".leaf/labels.sqlite")).toBe("a file of LEAF's own");
  for (const name of ["photos/a.png", "elsewhere/pictures/a.png", "hard.png"])
    expect(await what(name), name).toBe("an image of this project");
  for (const name of ["mine.csv", "new.csv", "photos/new.png"])
    expect(await what(name), name).toBeUndefined();
  const before = readFileSync(path.join(dir, "hard.csv"));
  for (const name of ["hard.csv", "link.csv", "photos/a.png", ".leaf/labels.sqlite"])
    await expect(
      writeOutput(path.join(dir, name), "x", await outputRules(project, { force: true })),
      name,
    ).rejects.toMatchObject({ code: "usage", remedy: "Give another name." });
  expect(readFileSync(path.join(dir, "mos.csv")).equals(before)).toBe(true);
});

test("a file keeps its mode and a link stays a link; what is no file stays what it is", async () => {
  const dir = temporaryFolder();
  const rules = { registry: path.join(dir, ".leaf/outputs.json") };
  mkdirSync(path.join(dir, "shared"));
  const [link, real] = [path.join(dir, "report.html"), path.join(dir, "shared/report.html")];
  symlinkSync("shared/report.html", link);
  await writeOutput(link, "1", rules);
  if (process.platform !== "win32") chmodSync(real, 0o600);
  await writeOutput(link, "2", rules);
  expect([readFileSync(real, "utf8"), lstatSync(link).isSymbolicLink()]).toEqual(["2", true]);
  // Windows has no such modes.
  if (process.platform !== "win32") expect(statSync(real).mode & 0o777).toBe(0o600);
  await expect(writeOutput(path.join(dir, "shared"), "x", { force: true })).rejects.toMatchObject({
    code: "failed",
    message: `Cannot write ${path.join(dir, "shared")}: it is a folder.`,
  });
});

test("what another program writes while LEAF works is not lost", async () => {
  const dir = temporaryFolder();
  const file = path.join(dir, "a.csv");
  const registry = path.join(dir, ".leaf/outputs.json");
  const late = withOutput(file, { registry }, async (temporary) => {
    writeFileSync(temporary, "LEAF");
    writeFileSync(file, "a person");
  });
  await expect(late).rejects.toMatchObject({ code: "usage" });
  expect(readFileSync(file, "utf8")).toBe("a person");
  rmSync(file);
  await writeOutput(file, "LEAF", { registry });
  const again = withOutput(file, { registry }, async (temporary) => {
    writeFileSync(temporary, "LEAF 2");
    writeFileSync(file, "another person");
  });
  await expect(again).rejects.toMatchObject({ code: "usage" });
  expect(readFileSync(file, "utf8")).toBe("another person");
});

test("a list of outputs that is damaged, or says what is not so, allows nothing", async () => {
  const dir = temporaryFolder();
  const registry = path.join(dir, ".leaf/outputs.json");
  const file = path.join(dir, "a.csv");
  mkdirSync(path.dirname(registry));
  for (const list of [
    "",
    "{",
    "[]",
    '{"v":2}',
    '{"v":1,"files":{"../a.csv":5}}',
    '{"v":1,"files":{"../a.csv":"0"}}',
  ]) {
    writeFileSync(registry, list);
    writeFileSync(file, "mine");
    await expect(checkOutputs([file], { registry }), list).rejects.toMatchObject({
      code: "usage",
      remedy: "Give another name, or overwrite it with --force.",
    });
    rmSync(file);
    await writeOutput(file, "LEAF", { registry });
    await writeOutput(file, "LEAF again", { registry });
    expect(existsSync(file)).toBe(true);
  }
});
