import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageConnection } from "vscode-languageserver/node";
import type { ImageRow, Page, PairRow } from "../../src/protocol/images.ts";
import type { JobEvent } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot, RunSummary } from "../../src/protocol/project.ts";
import type {
  EvaluationView,
  KnownScore,
  ParamsOf,
  RatingQueue,
  ResultOf,
  ServerMethod,
} from "../../src/protocol/server.ts";
import { uriOf } from "../../src/server/uris.ts";
import { inEnglish, say } from "../../src/words/text.ts";
import { config as configText, makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// What views ask of the built server, before and after a student is trained; the tests build on each other.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
const config = uriOf(path.join(dir, "leaf.yaml"));
const photo = (name: string) => uriOf(path.join(dir, "photos", name));
let connection: MessageConnection;
let stop: () => Promise<void>;
let project: ProjectSnapshot;
let changedScores: string[] = [];
const events: JobEvent[] = [];

function ask<M extends ServerMethod>(method: M, params: ParamsOf<M>): Promise<ResultOf<M>> {
  return connection.sendRequest(method, params) as Promise<ResultOf<M>>;
}
const images = (limit = 100): Promise<Page<ImageRow>> =>
  ask("leaf/images", { config, query: { sort: "score", descending: false, offset: 0, limit } });

beforeAll(async () => {
  await makeWorkspace(dir, 24, "");
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      project = told.projects[0]!;
      look();
    });
    one.onNotification("leaf/jobEvents", (told: { events: JobEvent[] }) => {
      events.push(...told.events);
      look();
    });
    one.onNotification("leaf/scoresChanged", (told: { uris: string[]; all: boolean }) => {
      changedScores.push(...(told.all ? ["all"] : told.uris));
      look();
    });
  }));
  await until(() => project?.images?.usable === 24);
});
afterAll(async () => {
  await stop();
  remove();
});

test("before a student, a hover scores the image by the embedded teacher and names it", async () => {
  const [first] = (await images()).rows;
  expect(first!.score).toBeNull();
  const hoverOf = (text: string) =>
    ask("leaf/imageHover", { document: uriOf(path.join(dir, "README.md")), text, character: 12 });
  const text = "See `photos/coffee_000.png` for the best one.";
  const hover = await hoverOf(text);
  expect(text.slice(hover!.start, hover!.end)).toBe("photos/coffee_000.png");
  // Alone it is better than no share of the others.
  expect(hover!.markdown).toMatch(/Quality \*\*\d\.\d+ \/ 5\*\* \(embedded teacher/);
  expect(hover!.markdown).toContain("embedded teacher");
  const thumbnail = /!\[\]\((file:[^|)]+)/.exec(hover!.markdown)![1]!;
  expect(existsSync(fileURLToPath(thumbnail))).toBe(true);
  // Over a link VS Code shows the picture.
  expect((await hoverOf("See ![](photos/coffee_000.png)."))!.markdown).not.toContain("![](");
  const [known] = await ask("leaf/scores", { uris: [photo("coffee_000.png")] });
  expect(known).toMatchObject({ scorer: say`embedded teacher`, scale: [1, 5] });
  expect(
    await ask("leaf/imageHover", { document: uriOf(dir), text: "nothing.png", character: 3 }),
  ).toBeNull();
  expect(await ask("leaf/heatMap", { uri: photo("coffee_000.png") })).toBeNull();
});

test("after the pipeline all images have the student's score, and every list agrees", {
  timeout: 180_000,
}, async () => {
  await ask("leaf/start", { config, kind: "run" });
  await until(() => events.some((event) => event.type === "end"));
  expect(events.at(-1)).toMatchObject({ state: "done" });
  await until(
    () =>
      project.scored.done === 24 &&
      project.scorer?.title.template.includes("calibrated") === true &&
      !project.scorer.title.template.includes("not"),
  );
  expect(project.scorer).toMatchObject({ title: say`student ${"r1"} · calibrated`, scale: [1, 5] });
  await until(() => project.stale === 0);
  const { rows, total } = await images();
  expect(total).toBe(24);
  const scores = rows.map((row) => row.score!);
  expect(scores).toEqual([...scores].sort((a, b) => a - b));
  expect(rows.every((row) => row.teacher !== null && row.mos !== null)).toBe(true);
  const bands = await ask("leaf/bands", { config });
  expect(bands.reduce((sum, band) => sum + band.count, 0)).toBe(24);
  const known = (await ask("leaf/scores", { uris: rows.map((row) => row.uri) })) as KnownScore[];
  expect(known.map((one) => one.score)).toEqual(scores);
  const hash = rows[0]!.hash;
  const small = await ask("leaf/thumbnails", { config, hashes: [hash], size: "small" });
  const picture = await sharp(fileURLToPath(small[hash]!)).metadata();
  expect([picture.format, picture.width]).toEqual(["webp", 160]);
});

test("a heat map is of the image's shape, its legend is about the score, and it is made again when gone", async () => {
  const [row] = (await images()).rows;
  const heat = (await ask("leaf/heatMap", { uri: row!.uri }))!;
  const [worse, score, better] = heat.legend;
  expect(heat.lowerIsBetter).toBe(false);
  expect(score).toBeCloseTo(row!.score!, 4);
  expect(score - worse).toBeCloseTo(better - score, 6);
  expect(better - worse).toBeGreaterThan(0);
  const overlay = fileURLToPath(heat.overlay);
  const { width, height, hasAlpha } = await sharp(overlay).metadata();
  expect(width! / height!).toBeCloseTo(row!.width / row!.height, 2);
  expect(hasAlpha).toBe(true);
  rmSync(overlay);
  expect(await ask("leaf/heatMap", { uri: row!.uri })).toEqual(heat);
  expect(existsSync(overlay)).toBe(true);
  expect(await ask("leaf/heatMap", { uri: photo("none.png") })).toBeNull();
});

test("the evaluation has its points, its fit and all three arms", async () => {
  const view = (await ask("leaf/evaluation", { config })) as EvaluationView;
  expect(view.run).toBe("r1");
  expect(view.points).toHaveLength(view.evaluation.n);
  expect(view.arms.map(({ name, metrics }) => [name, metrics?.n])).toEqual([
    ["teacher", view.evaluation.n],
    ["TGD", view.evaluation.n],
    ["CFT", view.evaluation.n],
  ]);
  expect(view.arms[2]!.metrics!.srcc).toBe(view.evaluation.srcc);
  const curves = await ask("leaf/curves", { config, run: "r1" });
  expect(curves.distill.map((point) => point.epoch)).toEqual([1, 2]);
});

test("a person's word on a pair is kept, and makes distill stale", async () => {
  const query = { show: "all", sort: "confidence", descending: true, offset: 0, limit: 5 } as const;
  const { rows } = (await ask("leaf/pairs", { config, query })) as Page<PairRow>;
  const pair = rows[0]!;
  const preferred = pair.p > 0.5 ? 0 : 1;
  const overruled = await ask("leaf/overrulePair", { config, a: pair.a.hash, b: pair.b.hash, p: preferred });
  expect(overruled).toMatchObject({ p: preferred, human: preferred });
  await until(() => project.stages[1]!.state === "stale");
  const human = await ask("leaf/pairs", { config, query: { ...query, show: "human" } });
  expect(human.total).toBe(1);
  const back = await ask("leaf/overrulePair", { config, a: pair.a.hash, b: pair.b.hash, p: null });
  expect(back!.p).toBeCloseTo(pair.p, 12);
});

test("ratings are in the MOS file at once, and can be taken back", async () => {
  const file = path.join(dir, "mos.csv");
  const before = readFileSync(file, "utf8");
  const added = path.join(dir, "photos", "unrated.png");
  changedScores = [];
  await sharp(path.resolve("demo/photos/stream.jpg")).resize(200, 200).png().toFile(added);
  await until(() => project.images?.usable === 25);
  await until(() => changedScores.includes(uriOf(added)));
  await until(() => project.scored.done === 25);
  const [score] = await ask("leaf/scores", { uris: [uriOf(added)] });
  expect(inEnglish(score!.scorer)).toContain("student r1");
  const queue = await ask("leaf/ratingQueue", { config, count: 5 });
  expect(queue.images.map((row) => row.path)).toEqual(["photos/unrated.png"]);
  const rated = (await ask("leaf/rate", { config, hash: queue.images[0]!.hash, rating: 4 })) as RatingQueue;
  expect(readFileSync(file, "utf8")).toBe(`${before}photos/unrated.png,4\n`);
  expect(rated.images).toEqual([]);
  await ask("leaf/rate", { config, hash: queue.images[0]!.hash, rating: null });
  expect(readFileSync(file, "utf8")).toBe(before);
});

test("a folder is scored anew, and what is no image of a project is named", async () => {
  const stray = path.join(dir, "leaf.yaml");
  const result = await ask("leaf/score", { uris: [uriOf(path.join(dir, "photos")), uriOf(stray)] });
  expect(result).toEqual({
    scored: 25,
    failed: [{ uri: uriOf(stray), reason: "it is no readable image of a project" }],
  });
});

test("excluded images leave the project; runs can be pinned, read and exported", async () => {
  expect(await ask("leaf/exclude", { config, paths: ["photos/unrated.png"] })).toEqual({ edited: 1 });
  await until(() => project.images?.usable === 24);
  await ask("leaf/pinRun", { config, run: "r1", pinned: true });
  const runs = (await ask("leaf/runs", { config })) as RunSummary[];
  expect(runs.find((run) => run.id === "r1")).toMatchObject({ pinned: true, state: "done", ratings: 6 });
  expect((await ask("leaf/runConfig", { config, run: "r1" })).text).toContain("epochs: 2");
  const { folder, files } = await ask("leaf/runFolder", { config, run: "r1" });
  expect(files).toEqual([`${folder}/run.json`]);
  const { files: written } = await ask("leaf/export", {
    config,
    what: "scores",
    out: uriOf(path.join(dir, "s.csv")),
  });
  expect(written).toEqual([path.join(dir, "s.csv")]);
  expect(readFileSync(path.join(dir, "s.csv"), "utf8").trim().split("\n")).toHaveLength(25);
  expect(configText()).not.toContain("!photos");
});
