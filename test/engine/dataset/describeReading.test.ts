import { writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { openProject } from "../../../src/engine/config/project.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import raters from "../../fixtures/raters.json" with { type: "json" };
import { temporaryFolder } from "../../support/pictures.ts";

const names = Array.from({ length: 12 }, (_, i) => `i${i}.png`);

async function project(table: string, mos: string, as = "r.csv") {
  const root = temporaryFolder();
  for (const [i, name] of names.entries())
    writeFileSync(
      path.join(root, name),
      // Of noise, so that no two look alike.
      await sharp({
        create: {
          width: 8 + i,
          height: 8,
          channels: 3,
          background: "#808080",
          noise: { type: "gaussian", mean: 128, sigma: 60 },
        },
      })
        .png()
        .toBuffer(),
    );
  writeFileSync(path.join(root, as), table);
  writeFileSync(path.join(root, "leaf.yaml"), `images: .\nmos: ${mos}\n`);
  return openProject(path.join(root, "leaf.yaml"));
}

/** Twelve raters of the fixture, of whom BT.500 would reject the last: one row a rating. */
const table = `image,who,score\n${names
  .flatMap((name, i) =>
    raters.twelve.ratings[i]!.flatMap((value, rater) =>
      value === null ? [] : [`${name},r${rater},${value}`],
    ),
  )
  .join("\n")}\n`;

describe("check says of single ratings", () => {
  it("how they are read, who rated how, and how far people agree", async () => {
    const { reading, withMos, problems } = await checkProject(
      await project(table, "{ file: r.csv, score: score, rater: who, range: [0, 100] }"),
      { quick: true },
    );
    expect(withMos).toBe(12);
    expect(problems).toEqual([]);
    expect(reading[0]).toBe(
      "MOS: r.csv is read as a plain table: images by image, single ratings by score, one a row, raters by who, from 0 to 100, higher is better.",
    );
    expect(reading[1]).toBe(
      "Ratings: 141 ratings of 12 images by 12 raters, 11 to 12, on average 11.8, an image. The MOS is their plain mean.",
    );
    expect(reading[2]).toMatch(
      /^Raters' biases are from −\d+\.\d\d to \d+\.\d\d; `subjects: bias-corrected` would/,
    );
    const people = reading.find((line) => line.startsWith("People:"))!;
    expect(people).toMatch(/would reach SRCC 0\.9\d\d \[0\.\d{3}, [01]\.\d{3}\] with this MOS/);
  });

  it("that votes are votes, and how many", async () => {
    const { reading } = await checkProject(
      await project(
        `image,c1,c2,c3,c4,c5\n${names.map((name, i) => `${name},${i},1,2,3,4`).join("\n")}\n`,
        "{ file: r.csv, votes: 'c*' }",
      ),
      { quick: true },
    );
    expect(reading[0]).toContain("votes for each grade (c1 … c5, 5 of them)");
    expect(reading[1]).toBe(
      "Ratings: 186 votes of 12 images, 10 to 21, on average 15.5, an image. The MOS is their plain mean.",
    );
  });
});

describe("the catalog", () => {
  it("offers deviation and number of each image", async () => {
    const catalog = await openCatalog(
      await project(
        `image,mos,sd,n\n${names.map((name, i) => `${name},3,0.5,${i}`).join("\n")}\n`,
        "{ file: r.csv, std: sd, count: n }",
      ),
    );
    expect([...catalog.mosStd.values()]).toEqual(Array(12).fill(0.5));
    // 0 is no number of ratings.
    expect([...catalog.mosCount.values()].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(catalog.raw).toBeUndefined();
    catalog.close();
  });

  it("takes a layout without its column of references for one without groups, and says so", async () => {
    const list = `dist_img,dmos\n${names.map((name) => `${name},3`).join("\n")}\n`;
    const { reading, withMos } = await checkProject(await project(list, "{ file: dmos.csv }", "dmos.csv"), {
      quick: true,
    });
    expect(withMos).toBe(12);
    expect(reading[1]).toBe(
      "Groups: none; dmos.csv says no reference by ref_img, as is usual for KADID-10k.",
    );
    const own = await project(list, "{ file: dmos.csv }\nsplit: { groupBy: scene }", "dmos.csv");
    await expect(openCatalog(own)).rejects.toThrow(/no column "scene"/);
  });
});
