import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Mos, type MosSource, readMos } from "../../../src/engine/dataset/readMos.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const images = Array.from({ length: 6 }, (_, i) => `photos/im${i}.jpg`);
const names = images.map((file) => path.basename(file));

async function read(text: string, keys: Partial<MosSource> = {}, as = "r.csv") {
  const file = path.join(temporaryFolder(), as);
  writeFileSync(file, text);
  const test = makeIndex(images);
  const mos = await readMos({ file, image: "image", score: "mos", range: [1, 5], ...keys }, test.index);
  const of = (map: Map<string, number>) => images.map((image) => map.get(test.hashOf(image)));
  return { ...mos, mos: of(mos.scores), std: of(mos.stds), n: of(mos.numbers) };
}

/** 1, 4, 5, 4 by hand: mean 3.5, deviation √(9 / 3). */
const four = [1, 4, 5, 4];
const ofFour = { mos: Array(6).fill(3.5), std: Array(6).fill(Math.sqrt(3)), n: Array(6).fill(4) };
const pick = ({ mos, std, n }: Awaited<ReturnType<typeof read>>) => ({ mos, std, n });

describe("single ratings", () => {
  const rows = (rater: string) =>
    `image,${rater},score\n${names.flatMap((name) => four.map((one, i) => `${name},p${i},${one}\n`)).join("")}`;

  it("one a row, by a column that is named or told by its name", async () => {
    expect(pick(await read(rows("who"), { score: "score", rater: "who" }))).toEqual(ofFour);
    for (const rater of ["rater", "Rater ID", "user_id", "annotator", "completed_by", "worker-id"]) {
      const mos = await read(rows(rater), { score: "score" });
      expect(pick(mos), rater).toEqual(ofFour);
      expect(mos.problems).toEqual([]);
      expect(mos.raw?.how).toBe("rows");
      expect(mos.raw?.ratings.raters).toEqual(["p0", "p1", "p2", "p3"]);
    }
  });

  it("one a row, of people who are not named", async () => {
    const text = `image,mos\n${names.flatMap((name) => four.map((one) => `${name},${one}\n`)).join("")}`;
    const mos = await read(text);
    expect(pick(mos)).toEqual(ofFour);
    expect(mos.raw?.how).toBe("anonymous");
    await expect(read(text, { subjects: "bias-corrected" })).rejects.toMatchObject({
      code: "config",
      message: "`mos.subjects: bias-corrected` needs to know who rated.",
    });
  });

  it("that one image has twice by a slip are a conflict still", async () => {
    const mos = await read(`image,mos\n${names.map((name) => `${name},3\n`).join("")}im2.jpg,4\nim2.jpg,3\n`);
    expect(mos.mos).toEqual(Array(6).fill(3));
    expect(mos.counts).toMatchObject({ conflict: 1, duplicate: 1 });
    expect(mos.raw).toBeUndefined();
  });

  it("a column a rater, by names or a pattern, with gaps", async () => {
    const text = `image,note,user1,user2,user10\n${names.map((name) => `${name},x,2,4,\n`).join("")}`;
    for (const raters of ["user*", ["user1", "user2", "user10"]]) {
      const mos = await read(text, { raters });
      expect(pick(mos)).toEqual({
        mos: Array(6).fill(3),
        std: Array(6).fill(Math.SQRT2),
        n: Array(6).fill(2),
      });
      expect(mos.shape).toEqual({ kind: "columns", raters: ["user1", "user2", "user10"] });
    }
    // Without a word in the config: `mos` is not there, and the columns speak for themselves.
    expect((await read(text)).mos).toEqual(Array(6).fill(3));
    await expect(read(text, { raters: "person*" })).rejects.toMatchObject({ code: "config" });
  });

  it("out of range or no number are told and left out", async () => {
    const mos = await read("image,user1,user2,user3\nim0.jpg,2,9,x\nim1.jpg,,,\n", { raters: "user*" });
    expect(mos.mos.slice(0, 2)).toEqual([2, undefined]);
    expect(mos.problems.map(({ kind, line }) => [kind, line])).toEqual([
      ["outOfRange", 2],
      ["notANumber", 2],
      ["notANumber", 3],
    ]);
  });

  it("in lists, of JSON and of CSV", async () => {
    const json = JSON.stringify(names.map((image) => ({ image, mos: four })));
    expect(pick(await read(json, {}, "r.json"))).toEqual(ofFour);
    const csv = `image,mos\n${names.map((name) => `${name},"[1, 4, 5, 4]"\n`).join("")}`;
    expect(pick(await read(csv))).toEqual(ofFour);
  });

  it("come to the same in rows and in columns, whatever they are", async () => {
    const table = fc.array(
      fc.array(fc.option(fc.integer({ min: 1, max: 5 }), { nil: null }), { minLength: 4, maxLength: 4 }),
      { minLength: 6, maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(table, async (ratings) => {
        const long = ratings.flatMap((row, i) =>
          row.flatMap((value, rater) => (value === null ? [] : [`${names[i]},u${rater},${value}`])),
        );
        const wide = ratings.map((row, i) => [names[i], ...row.map((value) => value ?? "")].join(","));
        const a = await read(`image,rater,mos\n${long.join("\n")}\n`, { rater: "rater" });
        const b = await read(`image,u0,u1,u2,u3\n${wide.join("\n")}\n`, { raters: ["u0", "u1", "u2", "u3"] });
        expect(a.n).toEqual(b.n);
        for (const [i, mos] of a.mos.entries()) {
          if (mos === undefined) expect(b.mos[i]).toBeUndefined();
          else expect(b.mos[i]).toBeCloseTo(mos, 12);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("votes", () => {
  /** Σ k·n / Σ n = 1142 / 223, by hand. */
  const ten = [2, 8, 19, 36, 76, 52, 16, 9, 3, 2];
  const isTen = ({ mos, n }: { mos: (number | undefined)[]; n: (number | undefined)[] }) => {
    for (const one of mos) expect(one).toBeCloseTo(1142 / 223, 12);
    expect(n).toEqual(Array(6).fill(223));
  };

  it("in columns, told by their names or by the config", async () => {
    for (const column of ["c", "vote_", "count", "n"]) {
      const header = ten.map((_, i) => `${column}${i + 1}`).join(",");
      const text = `image,${header}\n${names.map((name) => `${name},${ten.join(",")}\n`).join("")}`;
      isTen(await read(text, { range: [1, 10] }));
      isTen(await read(text, { range: [1, 10], votes: `${column}*` }));
    }
    const text = `image,bad,poor,fair,good,excellent\n${names.map((name) => `${name},0,1,2,1,0\n`).join("")}`;
    expect((await read(text)).mos).toEqual(Array(6).fill(3));
  });

  it("in lists, as idealo's and NIMA's labels are", async () => {
    const json = JSON.stringify(names.map((name) => ({ image_id: name.slice(0, -4), label: ten })));
    isTen(await read(json, { image: "image_id", score: "label", range: [1, 10] }, "labels.json"));
    const lines = names.map((name) => JSON.stringify({ image: name, mos: ten })).join("\n");
    isTen(await read(lines, { range: [1, 10] }, "labels.jsonl"));
  });

  it("of AVA, whose file names no columns", async () => {
    const text = ["11", "12"].map((id, i) => `${i + 1} ${id} ${ten.join(" ")} 1 22 1396`).join("\n");
    const file = path.join(temporaryFolder(), "AVA.txt");
    writeFileSync(file, text);
    const test = makeIndex(["images/11.jpg", "images/12.jpg"]);
    const { completeMos } = await import("../../../src/engine/mos/complete.ts");
    const mos = await readMos(completeMos({ file, format: "ava" }), test.index);
    expect([...mos.scores.values()]).toEqual([1142 / 223, 1142 / 223]);
    expect([...mos.numbers.values()]).toEqual([223, 223]);
  });

  it("as shares are a mean whose number is not known", async () => {
    const mos = await read("image,c1,c2,c3,c4,c5\nim0.jpg,0,0.25,0.5,0.25,0\n");
    expect([mos.mos[0], mos.std[0], mos.n[0]]).toEqual([3, Math.sqrt(0.5), undefined]);
  });

  it("that may as well be ratings, or do not fit the range, are refused with the remedy", async () => {
    const json = JSON.stringify(names.map((image) => ({ image, mos: [1, 2, 3, 4, 5] })));
    await expect(read(json, {}, "r.json")).rejects.toMatchObject({ code: "config" });
    const text = `image,c1,c2,c3\nim0.jpg,1,2,3\n`;
    await expect(read(text)).rejects.toMatchObject({
      code: "config",
      message: "There are 3 counts of votes, and 1 to 5 has 5 grades.",
      remedy: "Write the lowest and the highest grade, such as `range: [1, 3]`.",
    });
  });

  it("of nobody, and what is no count, are told", async () => {
    const mos = await read(
      "image,c1,c2,c3,c4,c5\nim0.jpg,0,0,0,0,0\nim1.jpg,1,x,0,0,0\nim2.jpg,1,0,0,0,-1\n",
    );
    expect(mos.counts.notANumber).toBe(3);
    expect(mos.scores.size).toBe(0);
  });
});

describe("exports of Label Studio", () => {
  const image = (name: string) => `/data/upload/3/0badcafe-${name}`;
  const annotation = (by: unknown, value: unknown, more = {}) => ({
    id: 1,
    completed_by: by,
    result: [{ type: "rating", from_name: "rating", to_name: "image", value }],
    ...more,
  });

  it("JSON, of several annotators, cancelled ones left out", async () => {
    const tasks = names.map((name, id) => ({
      id,
      data: { image: image(name) },
      annotations: [
        annotation(1, { rating: 1 }),
        annotation({ id: 2, email: "b@example.org" }, { rating: 4 }),
        annotation(3, { number: 5 }),
        annotation(4, { choices: ["4"] }),
        annotation(5, { rating: 2 }, { was_cancelled: true }),
        { id: 9, completed_by: 6, result: [] },
      ],
      predictions: [{ result: annotation(0, { rating: 3 }).result }],
    }));
    const mos = await read(JSON.stringify(tasks), { score: "rating" }, "full.json");
    expect(pick(mos)).toEqual(ofFour);
    expect(mos.raw?.ratings.raters).toEqual(["1", "b@example.org", "3", "4"]);
  });

  it("CSV and JSON-MIN, in all the ways that a rating is written", async () => {
    const wrapped = ["1", '[{"rating": 4}]', '{"rating": 5}', '"4"'];
    const csv = names.flatMap((name) =>
      wrapped.map((text, i) => `1,${i},7,${image(name)},"${text.replaceAll('"', '""')}"`),
    );
    const head = "annotation_id,annotator,id,image,rating";
    const mos = await read(`${head}\n${csv.join("\n").replaceAll('"""4"""', "4")}\n`, { score: "rating" });
    expect(pick(mos)).toEqual(ofFour);
    const min = names.flatMap((name) =>
      [1, [{ rating: 4 }], { rating: 5 }, "4"].map((rating, annotator) => ({
        image: image(name),
        id: 7,
        rating,
        annotator,
      })),
    );
    expect(pick(await read(JSON.stringify(min), { score: "rating" }, "min.json"))).toEqual(ofFour);
  });

  it("of one annotator are scores as ever", async () => {
    const csv = names.map((name, i) => `1,1,7,${image(name)},${1 + (i % 5)}`);
    const mos: Mos = await read(`annotation_id,annotator,id,image,rating\n${csv.join("\n")}\n`, {
      score: "rating",
    });
    expect(mos.scores.size).toBe(6);
    expect(mos.raw).toBeUndefined();
  });
});

it("optional columns of a layout may be missing, those that the config names may not", async () => {
  const list = JSON.stringify(names.map((image) => ({ image, gt_score: 3 })));
  const qalign = { format: "qalign", score: "gt_score" };
  const mos = await read(list, { ...qalign, std: "std" }, "list.json");
  expect([mos.scores.size, mos.stds.size]).toEqual([6, 0]);
  await expect(read(list, { ...qalign, std: "sd" }, "list.json")).rejects.toThrow(/no column "sd"/);
  await expect(read(list, { ...qalign, count: "votes" }, "list.json")).rejects.toThrow(/no column "votes"/);
});
