import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { configSchema } from "../../../src/engine/config/config.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { evaluateTransfer, type TransferStudent } from "../../../src/engine/pipeline/stages/transfer.ts";
import { toCsv } from "../../../src/engine/tables/csvText.ts";
import { inEnglish } from "../../../src/words/text.ts";
import { liveProject } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

// The fixture's score is 1 + 4 · mean / 255: grey images have known scores.
const student: TransferStudent = {
  student: "calibrate",
  key: "k1",
  dir: path.resolve("test/fixtures/student"),
};
const greys = [10, 60, 90, 130, 180, 240];

async function grey(file: string, level: number): Promise<void> {
  const background = { r: level, g: level, b: level };
  await sharp({ create: { width: 48, height: 48, channels: 3, background } })
    .png()
    .toFile(file);
}

/** Own images, and another dataset whose MOS are `mosOf` the grey level. */
async function world(mosOf: (level: number) => number, mos: Record<string, unknown> = {}) {
  const root = temporaryFolder();
  for (const folder of ["photos", "other"]) mkdirSync(path.join(root, folder));
  for (const level of [5, 250]) await grey(path.join(root, "photos", `${level}.png`), level);
  for (const level of greys) await grey(path.join(root, "other", `${level}.png`), level);
  const rows = greys.map((level) => [`${level}.png`, mosOf(level)]);
  writeFileSync(path.join(root, "other.csv"), toCsv(["image", "mos"], rows));
  const datasets = [{ name: "grey", images: "other", mos: { file: "other.csv", range: [0, 100], ...mos } }];
  const project = liveProject(root, { evaluate: { bootstrap: 50, datasets } });
  const catalog = await openCatalog(project);
  onTestFinished(() => catalog.close());
  const warnings: string[] = [];
  const run = (students = [student]) =>
    evaluateTransfer(project, catalog, students, path.join(root, "out"), {
      onWarning: (message) => warnings.push(inEnglish(message)),
    });
  return { root, project, run, warnings };
}

describe("other datasets", () => {
  it("are compared on their own scale, students in rows", async () => {
    const { run } = await world((level) => (100 * level) / 255);
    const found = await run([{ ...student, student: "distill", key: "k0" }, student]);
    expect(found.datasets).toEqual(["grey"]);
    expect(found.rows.map((row) => row.student)).toEqual(["distill", "calibrate"]);
    const [cell] = found.rows[1]!.cells;
    expect(cell).toMatchObject({ n: 6, srcc: 1, krcc: 1, failed: 0, seen: 0 });
    expect(cell!.plcc).toBeCloseTo(1, 6);
    expect(cell!.rmse).toBeLessThan(1e-3);
    expect(found.rows[0]!.cells).toEqual(found.rows[1]!.cells);
    // Black and white lie far from the fixture's 40 vectors around 128.
    expect(cell!.far).toBeGreaterThan(0);
    expect(cell!.far).toBeLessThan(6);
  });

  it("whose lower scores are better are turned round", async () => {
    const { run } = await world((level) => 100 - (100 * level) / 255, { lowerIsBetter: true });
    const [cell] = (await run()).rows[0]!.cells;
    expect(cell!.srcc).toBe(1);
    expect(cell!.rmse).toBeLessThan(1e-3);
  });

  it("lose the images that were trained on, and those that cannot be read", async () => {
    const { root, run, warnings } = await world((level) => level / 3);
    // The project's own image, under another name.
    copyFileSync(path.join(root, "photos", "5.png"), path.join(root, "other", "same.png"));
    writeFileSync(
      path.join(root, "other.csv"),
      toCsv(["image", "mos"], [...greys.map((l) => [`${l}.png`, l / 3]), ["same.png", 1]]),
    );
    const [cell] = (await run()).rows[0]!.cells;
    expect(cell).toMatchObject({ n: 6, seen: 1 });
    expect(warnings).toEqual([]);
  });

  it("are scored once for the same student, images and scores", async () => {
    const { root, run } = await world((level) => level / 3);
    const kept = () => readdirSync(path.join(root, "out", "transfer"));
    const first = await run();
    expect(kept()).toHaveLength(1);
    const file = path.join(root, "out", "transfer", kept()[0]!);
    writeFileSync(file, JSON.stringify({ ...first.rows[0]!.cells[0], srcc: 0.123 }));
    expect((await run()).rows[0]!.cells[0]!.srcc).toBe(0.123);
    // Another MOS, or another student, is other work.
    writeFileSync(
      path.join(root, "other.csv"),
      toCsv(
        ["image", "mos"],
        greys.map((l) => [`${l}.png`, 50 - l / 6]),
      ),
    );
    expect((await run()).rows[0]!.cells[0]!.srcc).toBe(-1);
    await run([{ ...student, key: "k2" }]);
    expect(kept()).toHaveLength(3);
  });

  it("with too few rated images have no figures, and say so", async () => {
    const { root, run, warnings } = await world((level) => level / 3);
    writeFileSync(path.join(root, "other.csv"), "image,mos\n10.png,3\n60.png,4\n");
    expect((await run()).rows[0]!.cells).toEqual([null]);
    expect(warnings).toEqual([
      "The dataset grey has 2 rated images that were not trained on; at least 3 are needed.",
    ]);
  });

  it("need names of their own", () => {
    const one = { name: "a", images: "x", mos: { file: "x.csv" } };
    const check = (datasets: unknown) => configSchema.safeParse({ images: "p", evaluate: { datasets } });
    expect(check([one, { ...one, name: "b" }]).success).toBe(true);
    expect(check([one, one]).error!.issues[0]!.message).toBe("two datasets have the same name");
    // A config without other datasets keeps the keys of its stages.
    expect(configSchema.parse({ images: "p" }).evaluate).toEqual({ split: "test", bootstrap: 1000 });
  });
});
