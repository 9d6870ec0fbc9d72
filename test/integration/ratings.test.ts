import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { picture } from "../support/pictures.ts";
import { leaf, leafJson, temporaryFolder } from "./workspace.ts";

const { dir, remove } = temporaryFolder();
afterAll(remove);

interface Rater {
  name: string;
  ratings: number;
  bias: number;
}

test("ratings of several people: who rated how, and a second file merged into theirs", async () => {
  mkdirSync(path.join(dir, "photos"));
  const names = Array.from("abcdefghijkl", (letter) => `${letter}.png`);
  for (const [i, name] of names.entries()) await picture(20, 20, i).toFile(path.join(dir, "photos", name));
  // q gives a grade more than p to each.
  const rows = names.flatMap((name, i) => [`${name},p,${1 + (i % 4)}`, `${name},q,${2 + (i % 4)}`]);
  writeFileSync(path.join(dir, "ratings.csv"), `image,rater,score\n${rows.join("\n")}\n`);
  await leafJson(dir, "init");
  const { raters } = await leafJson<{ raters: Rater[] }>(dir, "ratings");
  expect(raters.map(({ name, ratings }) => [name, ratings])).toEqual([
    ["p", 12],
    ["q", 12],
  ]);
  expect(raters[0]!.bias).toBeCloseTo(-0.5, 9);
  expect(raters[1]!.bias).toBeCloseTo(0.5, 9);

  // Of another target q gives a grade less.
  const both = names.flatMap((name, i) => [`${name},p,${1 + (i % 4)},5`, `${name},q,${2 + (i % 4)},4`]);
  writeFileSync(path.join(dir, "both.csv"), `image,rater,score,sharp\n${both.join("\n")}\n`);
  writeFileSync(
    path.join(dir, "both.leaf.yaml"),
    "images: photos\nmos: { file: both.csv, rater: rater, score: [score, sharp] }\n",
  );
  const sharp = await leafJson<{ raters: Rater[] }>(
    dir,
    "ratings",
    "--target",
    "sharp",
    "-c",
    "both.leaf.yaml",
  );
  expect(sharp.raters.map(({ bias }) => bias)).toEqual([0.5, -0.5]);

  writeFileSync(path.join(dir, "more.csv"), "image,rater,score\na.png,p,1\na.png,r,5\nb.png,r,4\n");
  const { merged } = await leafJson<{ merged: { added: number; known: number }[] }>(
    dir,
    "ratings",
    "merge",
    "more.csv",
  );
  expect(merged).toMatchObject([{ added: 2, known: 1 }]);
  const lines = readFileSync(path.join(dir, "ratings.csv"), "utf8").trim().split("\n");
  expect(lines).toEqual(["image,rater,score", ...rows, "a.png,r,5", "b.png,r,4"]);
  writeFileSync(path.join(dir, "other.csv"), "image,rater,score\na.png,p,3\n");
  const refused = await leaf(dir, "ratings", "merge", "other.csv");
  expect([refused.code, refused.stdout]).toEqual([1, ""]);
  expect(refused.stderr).toContain("a.png");
  expect(readFileSync(path.join(dir, "ratings.csv"), "utf8").trim().split("\n")).toEqual(lines);
});
