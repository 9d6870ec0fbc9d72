import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { initProject } from "../../../src/engine/config/init.ts";
import { loadConfig } from "../../../src/engine/config/read.ts";
import { guessScores } from "../../../src/engine/mos/guess.ts";
import { expandColumns, numberedColumns, shapeOf } from "../../../src/engine/mos/shape.ts";
import { temporaryFolder } from "../../support/pictures.ts";

async function guess(text: string, as = "r.csv") {
  const root = temporaryFolder();
  writeFileSync(path.join(root, as), text);
  const found = await guessScores(root);
  const made = await initProject(root, { force: false });
  const yaml = readFileSync(path.join(root, "leaf.yaml"), "utf8");
  // What init writes is a valid config that reads the same.
  const config = await loadConfig(path.join(root, "leaf.yaml"));
  return { found, told: made.scores, mos: config.mos, line: /^mos:.*$/m.exec(yaml)?.[0], yaml };
}

const names = ["a.jpg", "b.jpg", "c.jpg"];

describe("init understands", () => {
  it("a rating a row", async () => {
    const rows = names.flatMap((name) => ["p", "q"].map((by, i) => `${name},${by},${1 + i * 4}`));
    const { line, told } = await guess(`image,rater,score\n${rows.join("\n")}\n`);
    expect(line).toBe("mos: { file: r.csv, image: image, score: score, rater: rater, range: [1, 5] }");
    expect(told).toBe("One rating a row: the MOS is the mean of an image's ratings.");
  });

  it("a rating a row of people who are not named", async () => {
    const rows = names.flatMap((name) => [1, 5].map((score) => `${name},${score}`));
    const { line, told } = await guess(`image,score\n${rows.join("\n")}\n`);
    expect(line).toBe("mos: { file: r.csv, image: image, score: score, range: [1, 5] }");
    expect(told).toContain("not named");
  });

  it("a column a rater, also beside their mean", async () => {
    const rows = names.map((name) => `${name},40,80,60,60`);
    const { line, told, mos } = await guess(`image_name,user1,user2,user3,mos\n${rows.join("\n")}\n`);
    expect(line).toBe('mos: { file: r.csv, image: image_name, raters: "user*", range: [0, 100] }');
    expect(told).toBe("A column a rater: the MOS is the mean of an image's ratings.");
    expect(mos?.raters).toBe("user*");
  });

  it("a column a person by their names, where what they hold leaves no doubt", async () => {
    const of = (cells: (i: number) => unknown[], header = "Datei;Anna;Ben;Chen") =>
      guess(
        `${header}\n${Array.from({ length: 12 }, (_, i) => [`${i}.JPG`, ...cells(i)].join(";")).join("\n")}\n`,
      );
    const grade = (i: number) => 1 + (i % 5);
    const near = (i: number, by: number) => Math.min(5, Math.max(1, grade(i) + ((i + by) % 3) - 1));
    const people = (i: number) => [grade(i), i % 4 === 0 ? "" : near(i, 1), i % 4 === 1 ? "NaN" : near(i, 2)];
    const good = await of(people);
    expect(good.line).toBe("mos: { file: r.csv, image: Datei, raters: [Anna, Ben, Chen], range: [1, 5] }");
    expect(good.told).toBe("A column a rater: the MOS is the mean of an image's ratings.");
    for (const [why, doubtful] of Object.entries({
      "nobody left one out": await of((i) => [grade(i), near(i, 1), near(i, 2)]),
      "they do not agree": await of((i) => [
        grade(i),
        i % 4 ? 6 - grade(i) : "",
        i % 3 ? 1 + ((3 * i) % 5) : "",
      ]),
      "another scale": await of((i) => [grade(i), i % 4 ? 20 * grade(i) : "", i % 4 === 1 ? "" : near(i, 2)]),
      "not whole grades": await of((i) =>
        people(i).map((one) => (typeof one === "number" ? one + 0.1 : one)),
      ),
      "names of attributes": await of(people, "Datei;Sharpness;Noise;Colour"),
    })) {
      expect([why, doubtful.line, doubtful.mos]).toEqual([why, undefined, undefined]);
      expect(doubtful.told).toMatch(
        /^r\.csv has numbers in \w+, \w+, \w+, and no column that is called a score: write `raters` if/,
      );
      expect(doubtful.yaml).toContain("# mos: { file: r.csv, image: Datei, raters: [");
    }
    const one = await guess("photo,niqe\na.jpg,3.2\nb.jpg,4.1\n");
    expect(one.told).toContain("write `score: niqe` if these are scores");
    expect(one.mos).toBeUndefined();
  });

  it("JSON of names and scores, and of names and what is known of each", async () => {
    const plain = await guess('{ "a.jpg": 3.4, "b.jpg": 80 }', "scores.json");
    expect(plain.line).toBe("mos: { file: scores.json, image: image, score: mos, range: [0, 100] }");
    const rich = await guess(
      '{ "a": { "MOS": 3, "SD": 0.5 }, "b": { "MOS": 4 }, "c": null, "d": { "MOS": 1 } }',
      "scores.json",
    );
    expect(rich.line).toBe("mos: { file: scores.json, image: image, score: MOS, std: SD, range: [1, 5] }");
    const lists = await guess('{ "a.jpg": [1, 4, 5, 4], "b.jpg": [2, 2, 3] }', "scores.json");
    expect(lists.line).toBe("mos: { file: scores.json, image: image, score: ratings, range: [1, 5] }");
    expect((await guess('{ "version": 1, "images": 2 }', "about.json")).found).toBeUndefined();
  });

  it("what forms, studies and people of other languages call their columns", async () => {
    const of = async (header: string, row: (name: string, by: string, i: number) => string) => {
      const rows = names.flatMap((name, i) => ["p", "q"].map((by, k) => row(name, by, 1 + ((i + k) % 5))));
      return (await guess(`${header}\n${rows.join("\n")}\n`)).line;
    };
    expect(
      await of(
        "HITId,WorkerId,Input.image_url,Answer.rating",
        (name, by, s) => `h,${by},https://x/${name},${s}`,
      ),
    ).toBe(
      "mos: { file: r.csv, image: Input.image_url, score: Answer.rating, rater: WorkerId, range: [1, 5] }",
    );
    expect(await of("Bild;Bewerter;Note", (name, by, s) => `${name};${by};${s}`)).toBe(
      "mos: { file: r.csv, image: Bild, score: Note, rater: Bewerter, range: [1, 5] }",
    );
    expect(
      await of("participant_id,trial,stimulus,response", (name, by, s) => `${by},1,photos/${name},${s}`),
    ).toContain("image: stimulus, score: response");
    const inside = names.map((image) => ({
      image,
      ratings: ["p", "q"].map((user, i) => ({ user, score: 2 + i })),
    }));
    expect((await guess(JSON.stringify(inside), "r.json")).line).toBe(
      "mos: { file: r.json, image: image, score: score, rater: user, range: [1, 5] }",
    );
    const votes = names.map((image) => ({ image, votes: { 1: 3, 2: 8, 3: 19, 4: 36, 5: 12 } }));
    expect((await guess(JSON.stringify(votes), "r.json")).line).toBe(
      "mos: { file: r.json, image: image, score: votes, range: [1, 5] }",
    );
  });

  it("votes, and tells them from ratings where the names leave it open", async () => {
    const votes = await guess(`image,c1,c2,c3,c4,c5\na.jpg,0,0,25,73,7\nb.jpg,30,40,25,9,1\n`);
    expect(votes.line).toBe("mos: { file: r.csv, image: image, votes: [c1, c2, c3, c4, c5], range: [1, 5] }");
    const open = (cells: string) =>
      `image,${[1, 2, 3, 4, 5].map((i) => `rating_${i}`).join(",")}\na.jpg,${cells}\n`;
    expect((await guess(open("0,0,25,73,7"))).found).toMatchObject({
      range: [1, 5],
      votes: expect.anything(),
    });
    expect((await guess(open("1,4,5,4,2"))).found).toMatchObject({ raters: "rating_*" });
    expect((await guess(open("0,0.1,0.2,0.5,0.2"))).found).toHaveProperty("votes");
    const label = JSON.stringify(
      names.map((image_id) => ({ image_id, label: [2, 8, 19, 36, 76, 52, 16, 9, 3, 2] })),
    );
    expect((await guess(label, "labels.json")).found).toMatchObject({
      image: "image_id",
      score: "label",
      range: [1, 10],
    });
  });

  it("the range of ratings that Label Studio wraps", async () => {
    const tasks = names.map((image, i) => ({
      data: { image },
      annotations: [30, 80].map((number, by) => ({
        completed_by: by,
        result: [{ from_name: "quality", to_name: "image", type: "number", value: { number: number + i } }],
      })),
    }));
    const { line } = await guess(JSON.stringify(tasks), "r.json");
    expect(line).toBe(
      "mos: { file: r.json, image: image, score: quality, rater: annotator, range: [0, 100] }",
    );
  });

  it("AVA, which names no columns", async () => {
    const { line, mos } = await guess("1 953619 0 1 5 17 38 36 15 6 5 1 1 22 1396\n", "AVA.txt");
    expect(line).toBe("mos: { file: AVA.txt, format: ava }");
    expect(mos).toMatchObject({ image: "image_id", range: [1, 10] });
    expect(mos?.votes).toHaveLength(10);
  });

  it("a plain table as ever", async () => {
    const { line, told } = await guess("image,mos\na.jpg,3\nb.jpg,4\n");
    expect(line).toBe("mos: { file: r.csv, image: image, score: mos, range: [1, 5] }");
    expect(told).toBeNull();
  });
});

describe("columns", () => {
  it("of a pattern come in the order of their numbers, and none is taken twice", () => {
    const columns = ["user10", "user2", "user1", "other", "a*b"];
    expect(expandColumns(columns, "user*")).toEqual(["user1", "user2", "user10"]);
    expect(expandColumns(columns, ["user2", "user*"])).toEqual(["user2", "user1", "user10"]);
    expect(expandColumns(columns, "a*b")).toEqual(["a*b"]);
    expect(expandColumns(columns, "none*")).toEqual(["none*"]);
  });

  it("that are numbered are a series where they are in turn", () => {
    expect(
      numberedColumns(["c1", "c2", "c3", "x1", "user7", "user9"]).map(({ of, first }) => [of, first]),
    ).toEqual([
      ["votes", 1],
      ["raters", 7],
    ]);
    expect(numberedColumns(["c1", "c3", "c4"])).toEqual([]);
  });

  it("say nothing where the score is there", () => {
    expect(shapeOf(["image", "mos", "user1", "user2"], { score: "mos" })).toEqual({
      kind: "scores",
      score: "mos",
    });
    expect(shapeOf(["image", "mos", "annotator"], { score: "mos" })).toMatchObject({
      kind: "rows",
      told: false,
    });
  });
});
