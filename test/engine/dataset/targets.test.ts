import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../../src/engine/config/config.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import { furtherTargets, mainColumn, targetsOf } from "../../../src/engine/mos/complete.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

async function projectOf(mos: string, table: string) {
  const root = temporaryFolder();
  for (const i of [0, 1, 2, 3])
    writeFileSync(
      path.join(root, `i${i}.png`),
      await picture(8 + i, 8)
        .png()
        .toBuffer(),
    );
  writeFileSync(path.join(root, "s.csv"), table);
  writeFileSync(path.join(root, "leaf.yaml"), `images: .\nmos: ${mos}\n`);
  return openProject(path.join(root, "leaf.yaml"));
}

async function scoresOf(mos: string, table: string) {
  const catalog = await openCatalog(await projectOf(mos, table));
  try {
    const byName = (scores: ReadonlyMap<string, number>) =>
      Object.fromEntries([...scores].map(([hash, score]) => [catalog.relativePathOf(hash), score]));
    return {
      main: byName(catalog.mos),
      stds: byName(catalog.mosStd),
      further: catalog.targets?.map(({ name, range, lowerIsBetter, mos }) => ({
        name,
        range,
        lowerIsBetter,
        mos: byName(mos),
      })),
      problems: catalog.problems,
    };
  } finally {
    catalog.close();
  }
}

const table =
  "image,mos,sd,sharp,noise\ni0.png,3,0.5,4,70\ni1.png,2,0.4,,10\ni2.png,5,0.1,9,0\ni3.png,,,1,100\n";

describe("several targets", () => {
  it("each has the scores of its column, on its own range", async () => {
    const found = await scoresOf(
      "{ file: s.csv, std: sd, score: { quality: mos, sharpness: sharp, noise: { column: noise, range: [0, 100], lowerIsBetter: true } } }",
      table,
    );
    expect(found.main).toEqual({ "i0.png": 3, "i1.png": 2, "i2.png": 5 });
    expect(found.stds).toEqual({ "i0.png": 0.5, "i1.png": 0.4, "i2.png": 0.1 });
    expect(found.further).toEqual([
      { name: "sharpness", range: [1, 5], lowerIsBetter: false, mos: { "i0.png": 4, "i3.png": 1 } },
      {
        name: "noise",
        range: [0, 100],
        lowerIsBetter: true,
        mos: { "i0.png": 70, "i1.png": 10, "i2.png": 0, "i3.png": 100 },
      },
    ]);
    expect(found.problems).toEqual([
      's.csv:5: "i3.png" has no score.',
      's.csv:3: sharpness: "i1.png" has no score.',
      "s.csv:4: sharpness: The score 9 is outside the range 1 to 5.",
    ]);
  });

  it("one rating a row makes the mean of each by hand", async () => {
    const { main, further } = await scoresOf(
      "{ file: s.csv, rater: who, score: [mos, sharp] }",
      "image,who,mos,sharp\ni0.png,a,2,1\ni0.png,b,5,2\ni1.png,a,4,5\ni1.png,b,4,3\n",
    );
    expect(main).toEqual({ "i0.png": 3.5, "i1.png": 4 });
    expect(further).toMatchObject([{ name: "sharp", mos: { "i0.png": 1.5, "i1.png": 4 } }]);
  });

  it("check counts the images of each", async () => {
    const project = await projectOf("{ file: s.csv, score: [mos, noise], range: [0, 100] }", table);
    const { reading } = await checkProject(project, { quick: true });
    expect(reading).toContain(
      "Target noise: scores by noise, from 0 to 100, higher is better; 4 images rated.",
    );
    expect(reading).toContain(
      "The teacher is asked about mos alone: students learn the other targets from their human scores.",
    );
  });

  it("a column that is not there is an error that names it", async () => {
    await expect(scoresOf("{ file: s.csv, score: [mos, colour] }", table)).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("colour"),
    });
  });

  it("a dataset's format tells the range of each", () => {
    const parsed = parseConfig("images: .\nmos: { file: a.xlsx, format: spaq, score: [Sharpness, MOS] }\n");
    if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
    const { mos } = parsed.config;
    expect(mos).toMatchObject({ range: [0, 100] });
    expect(targetsOf(mos).map(({ name, range }) => [name, range])).toEqual([
      ["Sharpness", [0, 100]],
      ["MOS", [0, 100]],
    ]);
  });
});

describe("one target", () => {
  it("is as simple in a list or a map as by itself", async () => {
    const mosOf = (score: unknown) => configSchema.parse({ images: ".", mos: { file: "s.csv", score } }).mos!;
    for (const score of [["mos"], { quality: "mos" }, { quality: { column: "mos" } }, [{ column: "mos" }]])
      expect(mosOf(score)).toEqual(mosOf("mos"));
    expect(furtherTargets(mosOf("mos"))).toEqual([]);
    const { further, problems } = await scoresOf("{ file: s.csv, score: [noise], range: [0, 100] }", table);
    expect([further, problems]).toEqual([undefined, []]);
  });
});

it("a config as it is kept in a run reads as itself", () => {
  const range = fc.constantFrom<[number, number]>([1, 5], [0, 100], [-3, 2]);
  const optional = { requiredKeys: ["column"] as "column"[] };
  const target = fc.record(
    { column: fc.constantFrom("a", "b"), range, lowerIsBetter: fc.boolean(), std: fc.constant("sd") },
    optional,
  );
  const score = fc.oneof(
    fc.uniqueArray(fc.constantFrom("mos", "sharp", "noise"), { minLength: 1 }),
    fc.dictionary(fc.constantFrom("q", "r", "s"), fc.oneof(fc.constant("mos"), target), { minKeys: 1 }),
  );
  const rest = fc.record(
    { range, lowerIsBetter: fc.boolean(), std: fc.constant("dev") },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(score, rest, (given, other) => {
      const once = configSchema.parse({ images: ".", mos: { file: "s.csv", score: given, ...other } });
      const again = configSchema.parse(JSON.parse(JSON.stringify(once)));
      expect(again).toEqual(once);
      const [main] = targetsOf(once.mos);
      if (main) expect([main.column, main.range]).toEqual([mainColumn(once.mos!), once.mos!.range]);
    }),
  );
});

describe("a config is refused in one sentence", () => {
  it.each([
    ["{ file: s.csv, score: [mos, MOS] }", "two targets have the same name"],
    ["{ file: s.csv, score: { 1: mos, 2: sharp } }", "a target's name begins with a letter"],
    ["{ file: s.csv, score: {} }", "`score` names no target"],
    ["{ file: s.csv, score: [mos, sharp], votes: [c1, c2] }", "`raters` and `votes` are of one target"],
  ])("%s", (mos, sentence) => {
    const parsed = parseConfig(`images: .\nmos: ${mos}\n`);
    expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining(sentence),
    ]);
  });

  it("of another dataset that names several", () => {
    const parsed = parseConfig(
      "images: .\nmos: { file: s.csv }\nevaluate: { datasets: [{ name: x, images: y, mos: { file: z.csv, score: [a, b] } }] }\n",
    );
    expect(parsed.ok ? [] : parsed.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("name one column"),
    ]);
  });
});
