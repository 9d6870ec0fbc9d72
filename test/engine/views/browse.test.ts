import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileUri } from "../../../src/engine/base/fileUri.ts";
import { openForScan } from "../../../src/engine/dataset/index/file.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { mosToStudent, studentToMos } from "../../../src/engine/mos/scale.ts";
import type { LiveContext } from "../../../src/engine/scoring/context.ts";
import { type Browser, openBrowser } from "../../../src/engine/views/browse.ts";
import type { ImageQuery, ImageRow, ImageSort } from "../../../src/protocol/images.ts";
import { inEnglish, say } from "../../../src/words/text.ts";
import {
  dropFromIndex,
  embeddedScorer,
  hashOf,
  liveContext,
  liveProject,
  pointRow,
  putIndex,
  putLabels,
  putScores,
  studentScorer,
  type WorldImage,
} from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

function browse(context: LiveContext): Browser {
  const browser = openBrowser(context.project);
  onTestFinished(() => browser.close());
  browser.setContext(context);
  return browser;
}

const all: ImageQuery = { sort: "path", descending: false, offset: 0, limit: 1000 };
const paths = async (browser: Browser, query: Partial<ImageQuery>) =>
  (await browser.images({ ...all, ...query })).rows.map((row) => row.path);

describe("the browser", () => {
  it("answers with nothing while nothing is there, and with all as it comes", async () => {
    const project = liveProject(temporaryFolder());
    const browser = browse(liveContext(project));
    expect(await browser.images(all)).toEqual({ rows: [], total: 0 });
    expect(browser.counts()).toEqual({ scored: 0, total: 0 });
    putIndex(project, [{ path: "photos/a.jpg", hash: hashOf(1) }]);
    expect((await browser.images(all)).rows).toMatchObject([
      { path: "photos/a.jpg", score: null, rank: null, teacher: null, thumbnail: null },
    ]);
    putLabels(project, "t", [pointRow(hashOf(1), 3.5)]);
    expect(browser.row(hashOf(1))?.teacher).toEqual({
      score: 3.5,
      probabilities: [0.1, 0.2, 0.4, 0.2, 0.1],
      confidence: 0.25,
      human: false,
    });
    putScores(project, "calibrate-1", [[hashOf(1), 3]]);
    expect(browser.row(hashOf(1))).toMatchObject({ score: 3, rank: null, disagreement: 0.5 });
    expect(browser.counts()).toEqual({ scored: 1, total: 1 });
  });

  it("shows near duplicates by their groups, the largest first, without what is gone or not near enough", async () => {
    const project = liveProject(temporaryFolder());
    const browser = browse(liveContext(project));
    putIndex(
      project,
      [..."abcdefgh"].map((name, i) => ({ path: `photos/${name}.jpg`, hash: hashOf(i + 1) })),
    );
    expect(await paths(browser, { sort: "similar" })).toEqual([]);
    const db = openForScan(project.indexFile);
    const put = db.prepare("INSERT INTO twins VALUES (?, ?, ?)");
    for (const [a, b, alike] of [
      [1, 2, 0.99],
      [3, 5, 0.97],
      [5, 8, 0.96],
      [4, 6, 0.9],
      [7, 99, 1],
    ] as const)
      put.run(hashOf(a), hashOf(b), alike);
    db.close();
    const { rows, total } = await browser.images({ ...all, sort: "similar" });
    expect(total).toBe(5);
    expect(rows.map(({ path: file, twins }) => [file.slice(7, 8), twins])).toEqual([
      ...[..."ceh"].map((name) => [name, { number: 1, images: 3 }]),
      ...[..."ab"].map((name) => [name, { number: 2, images: 2 }]),
    ]);
    expect(browser.row(hashOf(7))).not.toHaveProperty("twins");
    dropFromIndex(project, "photos/b.jpg");
    expect(await paths(browser, { sort: "similar" })).toEqual(
      ["c", "e", "h"].map((name) => `photos/${name}.jpg`),
    );
  });

  it("sorts and filters by another target, on its own scale and direction", async () => {
    const project = liveProject(temporaryFolder());
    const images = [0, 1, 2, 3].map((i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) }));
    putIndex(project, images);
    const main = { range: [0, 100] as [number, number], lowerIsBetter: false };
    const noise = { range: [0, 8] as [number, number], lowerIsBetter: true };
    const scorer = studentScorer(main);
    putScores(
      project,
      scorer.fingerprint,
      images.map(({ hash }, i): [string, number] => [hash, 2 + i / 2]),
    );
    putScores(
      project,
      `${scorer.fingerprint}#noise`,
      [4, 1, 5].map((score, i): [string, number] => [hashOf(i), score]),
    );
    const targets = [
      { name: "quality", score: "score", sd: null, mosScale: main },
      { name: "noise", score: "score_noise", sd: null, mosScale: noise },
    ];
    const mos = new Map([2, 8, 1].map((value, i) => [hashOf(i + 1), value]));
    const browser = browse({
      ...liveContext(project, { scorer: { ...scorer, card: { ...scorer.card!, targets } } }),
      targets: [{ name: "noise", column: "n", ...noise, mos }],
    });
    // Worst first: 1 on 1..5 is 8 of 0..8, where low is good; what is unknown comes last.
    const noisy = { sort: "score", target: "noise" } as const;
    expect(await paths(browser, noisy)).toEqual([1, 0, 2, 3].map((i) => `photos/${i}.jpg`));
    expect(await paths(browser, { sort: "mos", target: "noise" })).toEqual(
      [2, 1, 3, 0].map((i) => `photos/${i}.jpg`),
    );
    expect(await paths(browser, { sort: "score" })).toEqual([0, 1, 2, 3].map((i) => `photos/${i}.jpg`));
    expect(await paths(browser, { ...noisy, score: [0, 2] })).toEqual(["photos/0.jpg", "photos/2.jpg"]);
    expect(await paths(browser, { target: "noise", mos: "unrated" })).toEqual(["photos/0.jpg"]);
    expect(browser.row(hashOf(1))).toMatchObject({
      score: 37.5,
      targets: [{ name: "noise", score: 8, mos: 2, scale: [0, 8], lowerIsBetter: true }],
    });
    expect(browser.row(hashOf(3))!.targets).toMatchObject([{ score: null, mos: 1 }]);
    expect(browser.scorer().targets).toEqual([
      { name: "quality", scale: [0, 100], lowerIsBetter: false },
      { name: "noise", scale: [0, 8], lowerIsBetter: true },
    ]);
  });

  it("reads a cache anew that was deleted and made again", async () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [{ path: "photos/a.jpg", hash: hashOf(1) }]);
    putScores(project, "calibrate-1", [[hashOf(1), 2]]);
    const browser = browse(liveContext(project));
    expect(browser.row(hashOf(1))?.score).toBe(2);
    rmSync(project.cache, { recursive: true });
    expect(browser.row(hashOf(1))).toBeUndefined();
    putIndex(project, [{ path: "photos/b.jpg", hash: hashOf(1) }]);
    putScores(project, "calibrate-1", [[hashOf(1), 4]]);
    expect(browser.row(hashOf(1))).toMatchObject({ path: "photos/b.jpg", score: 4 });
  });

  it("puts a person's score in the teacher's place, and takes it back", () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [{ path: "a.jpg", hash: hashOf(1) }]);
    putLabels(project, "t", [pointRow(hashOf(1), 3.5)]);
    const browser = browse(liveContext(project));
    const store = openLabels(project.labelsFile);
    onTestFinished(() => store.close());
    store.overridePoint(hashOf(1), 2);
    expect(browser.row(hashOf(1))?.teacher).toEqual({
      score: 2,
      probabilities: null,
      confidence: 1,
      human: true,
    });
    store.overridePoint(hashOf(1), null);
    expect(browser.row(hashOf(1))?.teacher).toMatchObject({ score: 3.5, human: false });
  });

  it("tells the reason of the teacher in force, and none of a store that has no reasons yet", () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [{ path: "a.jpg", hash: hashOf(1) }]);
    putLabels(project, "other", []);
    putLabels(project, "t", [pointRow(hashOf(1), 3.5)]);
    const store = openLabels(project.labelsFile);
    onTestFinished(() => store.close());
    store.putReasons("other", [{ image: hashOf(1), text: "noise" }]);
    const browser = browse(liveContext(project));
    expect(browser.row(hashOf(1))?.teacher).not.toHaveProperty("reason");
    store.putReasons("t", [{ image: hashOf(1), text: "blur" }]);
    expect(browser.row(hashOf(1))?.teacher).toMatchObject({ score: 3.5, reason: "blur" });
    store.db.exec("DROP TABLE reasons");
    expect(browser.row(hashOf(1))?.teacher).not.toHaveProperty("reason");
  });

  it("shows scores on the MOS scale, and the worst first also where lower is better", async () => {
    const mosScale = { range: [0, 100] as [number, number], lowerIsBetter: true };
    const project = liveProject(temporaryFolder(), {
      mos: { file: "m.csv", range: [0, 100], lowerIsBetter: true },
    });
    putIndex(
      project,
      [1, 2, 3].map((i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
    );
    putScores(project, "calibrate-1", [
      [hashOf(1), 1],
      [hashOf(2), 4.6],
      [hashOf(3), 3],
    ]);
    const mos = new Map([
      [hashOf(1), 80],
      [hashOf(2), 10],
    ]);
    const browser = browse(liveContext(project, { mos, scorer: studentScorer(mosScale) }));
    expect(await paths(browser, { sort: "score" })).toEqual(["1.jpg", "3.jpg", "2.jpg"]);
    expect(await paths(browser, { sort: "mos" })).toEqual(["1.jpg", "2.jpg", "3.jpg"]);
    expect(await paths(browser, { sort: "mos", descending: true })).toEqual(["2.jpg", "1.jpg", "3.jpg"]);
    expect(browser.row(hashOf(1))).toMatchObject({ score: 100, rank: null, mos: 80 });
    const bands = browser.bands();
    expect(bands.map(({ name, count }) => [name, count])).toEqual([
      ["bad", 1],
      ["poor", 0],
      ["fair", 1],
      ["good", 0],
      ["excellent", 1],
    ]);
    expect(bands[4]!.range).toEqual([0, studentToMos(4.5, mosScale)]);
    for (const band of bands) expect(await paths(browser, { score: band.range })).toHaveLength(band.count);
    expect(browser.known(["1.jpg", "none.jpg"])).toEqual([
      { score: 100, rank: null, scorer: say`student ${"r1"} · calibrated`, scale: [0, 100] },
      null,
    ]);
  });

  it("does not let the embedded teacher disagree with itself", () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [{ path: "a.jpg", hash: hashOf(1) }]);
    putLabels(project, "t", [pointRow(hashOf(1), 3)]);
    putScores(project, "t", [[hashOf(1), 3]]);
    const browser = browse(liveContext(project, { scorer: embeddedScorer }));
    expect(browser.row(hashOf(1))).toMatchObject({ score: 3, disagreement: null });
    expect(inEnglish(browser.scorer().title)).toBe("embedded teacher");
  });

  it("names a thumbnail once there is one, and finds a copy under its own path", () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [
      { path: "photos/a #1.jpg", hash: hashOf(1) },
      { path: "photos/copy.jpg", hash: hashOf(1) },
    ]);
    const browser = browse(liveContext(project));
    expect(browser.row(hashOf(1))).toMatchObject({
      path: "photos/a #1.jpg",
      uri: fileUri(path.join(project.root, "photos", "a #1.jpg")),
      thumbnail: null,
    });
    const dir = path.join(project.cache, "pictures", hashOf(1).slice(0, 2));
    mkdirSync(dir, { recursive: true });
    writeFileSync(path.join(dir, `${hashOf(1)}-small.webp`), "");
    expect(browser.rowOfPath("photos/copy.jpg")).toMatchObject({
      path: "photos/copy.jpg",
      thumbnail: fileUri(path.join(dir, `${hashOf(1)}-small.webp`)),
    });
  });

  it("answers many questions at once, each rightly", async () => {
    const project = liveProject(temporaryFolder());
    const images = Array.from({ length: 5000 }, (_, i) => ({ path: `p/${i}.jpg`, hash: hashOf(i) }));
    putIndex(project, images);
    const browser = browse(liveContext(project));
    const asked = Array.from({ length: 12 }, (_, i) =>
      browser.images({ ...all, text: `${i}7`, limit: 10_000 }),
    );
    for (const [i, page] of (await Promise.all(asked)).entries())
      expect(page.total).toBe(images.filter((image) => image.path.includes(`${i}7`)).length);
  });

  it("ranks many as few, when it has read them in pieces", async () => {
    const project = liveProject(temporaryFolder());
    const images = Array.from({ length: 21_000 }, (_, i) => ({ path: `p/${i}.jpg`, hash: hashOf(i) }));
    putIndex(project, images);
    putScores(
      project,
      "calibrate-1",
      images.map(({ hash }, i) => [hash, 1 + ((i * 7919) % 21_000) / 5250]),
    );
    putScores(project, "calibrate-1", [[hashOf(99_999), 3]]);
    const browser = browse(liveContext(project));
    const { rows, total } = await browser.images({ ...all, sort: "score", offset: 20_990, limit: 5 });
    expect(total).toBe(21_000);
    for (const [i, { rank }] of rows.entries())
      expect(rank).toEqual({ share: expect.closeTo((20_990.5 + i) / 21_000, 9), of: 21_000 });
    expect(browser.counts()).toEqual({ scored: 21_000, total: 21_000 });
  });

  it("lets go of a list that is being made when it is closed", async () => {
    const project = liveProject(temporaryFolder());
    putIndex(
      project,
      Array.from({ length: 5000 }, (_, i) => ({ path: `p/${i}.jpg`, hash: hashOf(i) })),
    );
    const browser = openBrowser(project);
    browser.setContext(liveContext(project));
    const asked = browser.images(all);
    browser.close();
    await expect(asked).rejects.toThrow("The project was closed.");
  });

  it("tells a score's error bar on the scale of the MOS", () => {
    const project = liveProject(temporaryFolder());
    putIndex(project, [
      { path: "1.jpg", hash: hashOf(1) },
      { path: "2.jpg", hash: hashOf(2) },
    ]);
    putScores(project, "calibrate-1", [
      [hashOf(1), 3, undefined, 0.2],
      [hashOf(2), 3],
    ]);
    const browser = browse(
      liveContext(project, { scorer: studentScorer({ range: [0, 100], lowerIsBetter: true }) }),
    );
    expect(browser.row(hashOf(1))).toMatchObject({ score: 50, sd: expect.closeTo(5, 9) });
    expect(browser.row(hashOf(2))).not.toHaveProperty("sd");
  });

  it("ranks an image among all that are scored, once these are twenty", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 1.5, 2.5, 3, 4.75), { minLength: 15, maxLength: 30 }),
        (scores) => {
          const project = liveProject(temporaryFolder());
          putIndex(
            project,
            scores.map((_, i) => ({ path: `${i}.jpg`, hash: hashOf(i) })),
          );
          putScores(
            project,
            "calibrate-1",
            scores.map((score, i) => [hashOf(i), score]),
          );
          const browser = openBrowser(project);
          browser.setContext(liveContext(project, { scorer: studentScorer(null) }));
          try {
            for (const [i, score] of scores.entries()) {
              const rank =
                scores.length < 20
                  ? null
                  : { share: expect.closeTo(share(scores, score), 9), of: scores.length };
              expect(browser.row(hashOf(i))!.rank).toEqual(rank);
              expect(browser.known([`${i}.jpg`])[0]!.rank).toEqual(rank);
            }
          } finally {
            browser.close();
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  const image = fc.record({
    name: fc.constantFrom("a", "b", "A_1", "x%y", "ü"),
    hash: fc.integer({ min: 0, max: 12 }),
    broken: fc.boolean(),
    mtimeMs: fc.integer({ min: 0, max: 3 }),
  });
  const world = fc.record({
    images: fc.array(image, { maxLength: 25 }),
    scores: fc.dictionary(fc.integer({ min: 0, max: 14 }).map(String), fc.constantFrom(1, 1.5, 2.5, 3, 4.75)),
    distances: fc.array(fc.constantFrom(undefined, 0.4, 1, 1.7), { minLength: 15, maxLength: 15 }),
    points: fc.dictionary(fc.integer({ min: 0, max: 12 }).map(String), fc.constantFrom(1, 2, 3.25)),
    mos: fc.dictionary(fc.integer({ min: 0, max: 12 }).map(String), fc.constantFrom(10, 50, 90)),
    dropped: fc.boolean(),
  });
  const question = fc.record({
    sort: fc.constantFrom<ImageSort>("path", "score", "mos", "teacher", "disagreement", "modified"),
    descending: fc.boolean(),
    text: fc.option(fc.constantFrom("a", "%", "_1", "ü", "photos/"), { nil: undefined }),
    score: fc.option(fc.constantFrom<[number, number]>([1, 2.5], [2, 4]), { nil: undefined }),
    mos: fc.option(fc.constantFrom("rated" as const, "unrated" as const), { nil: undefined }),
    split: fc.option(fc.constantFrom("train" as const, "test" as const), { nil: undefined }),
    far: fc.constantFrom(undefined, undefined, true as const),
    offset: fc.integer({ min: 0, max: 6 }),
    limit: fc.integer({ min: 0, max: 8 }),
  });

  it("pages as a plain filter and sort of the rows would", async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.array(question, { minLength: 6, maxLength: 16 }),
        async (made, questions) => {
          const project = liveProject(temporaryFolder(), { mos: { file: "m.csv", range: [0, 100] } });
          const files = made.images.map(
            (one, i): WorldImage => ({
              path: `photos/${one.name}-${i}.jpg`,
              hash: hashOf(one.hash),
              mtimeMs: one.mtimeMs,
              ...(one.broken && one.hash > 8 ? { error: "damaged" } : {}),
            }),
          );
          putIndex(project, files);
          putScores(
            project,
            "calibrate-1",
            Object.entries(made.scores).map(([i, score]) => [
              hashOf(Number(i)),
              score,
              made.distances[Number(i)],
            ]),
          );
          putLabels(
            project,
            "t",
            Object.entries(made.points).map(([i, score]) => pointRow(hashOf(Number(i)), score)),
          );
          const mosScale = { range: [0, 100] as [number, number], lowerIsBetter: false };
          const mos = new Map(Object.entries(made.mos).map(([i, value]) => [hashOf(Number(i)), value]));
          const splitOf = (hash: string) => (hash.endsWith("3") ? ("test" as const) : ("train" as const));
          const browser = openBrowser(project);
          browser.setContext(liveContext(project, { mos, splitOf, scorer: studentScorer(mosScale) }));
          try {
            if (made.dropped && files.length > 0) {
              await browser.images(all);
              dropFromIndex(project, files.shift()!.path);
            }
            const usable = files.filter((file) => !file.error).sort((a, b) => compare(a.path, b.path));
            const rows = [...new Map([...usable].reverse().map((file) => [file.hash, file])).values()]
              .reverse()
              .filter((file) => !files.some((other) => other.hash === file.hash && other.path < file.path))
              .map((file) => ({ file, row: browser.row(file.hash)! }));
            const scored = rows.flatMap(({ row }) => (row.score === null ? [] : [row.score]));
            expect(browser.counts()).toEqual({
              scored: new Set(usable.map((file) => file.hash)).intersection(
                new Set(Object.keys(made.scores).map((i) => hashOf(Number(i)))),
              ).size,
              total: new Set(usable.map((file) => file.hash)).size,
            });
            if (scored.length === browser.counts().scored)
              for (const { row } of rows) expect(row.rank).toBeNull();
            for (const query of questions) {
              const wanted = rows.filter(({ row }) => matches(row, query, mosScale));
              wanted.sort((a, b) => order(a, b, query));
              const { score, ...rest } = query;
              const shown = score && (score.map((s) => studentToMos(s, mosScale)) as [number, number]);
              const page = await browser.images({ ...rest, score: shown });
              expect(page.total).toBe(wanted.length);
              expect(page.rows.map((row) => row.path)).toEqual(
                wanted.slice(query.offset, query.offset + query.limit).map(({ row }) => row.path),
              );
              const limit = query.limit + 1;
              const sought = wanted[query.offset]?.row.hash ?? hashOf(99);
              const around = await browser.images({
                ...rest,
                score: shown,
                around: sought,
                offset: 0,
                limit,
              });
              const found = wanted.length > query.offset ? query.offset - (query.offset % limit) : undefined;
              expect(around.offset).toBe(found);
              expect(around.rows.map((row) => row.path)).toEqual(
                wanted.slice(found ?? 0, (found ?? 0) + limit).map(({ row }) => row.path),
              );
            }
          } finally {
            browser.close();
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  const ids = fc.integer({ min: 0, max: 8 });
  const change = fc.oneof(
    fc.record({ kind: fc.constant("add" as const), name: fc.constantFrom("a", "b", "c", "d"), id: ids }),
    fc.record({ kind: fc.constant("drop" as const), name: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ kind: fc.constant("score" as const), id: ids, value: fc.constantFrom(1, 2, 3.5) }),
    fc.record({ kind: fc.constant("label" as const), id: ids, value: fc.constantFrom(1, 2, 3.5) }),
    fc.record({
      kind: fc.constant("overrule" as const),
      id: ids,
      value: fc.constantFrom(null, 1, 4),
    }),
    fc.record({ kind: fc.constant("rate" as const), id: ids, value: fc.constantFrom(10, 90) }),
    fc.record({ kind: fc.constant("split" as const), id: ids }),
    fc.record({ kind: fc.constant("forget scores" as const) }),
    fc.record({ kind: fc.constant("ask" as const), question }),
  );

  it("answers from what is there now, whatever was asked and changed before", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 10, maxLength: 30 }),
        question,
        async (changes, last) => {
          const project = liveProject(temporaryFolder(), { mos: { file: "m.csv", range: [0, 100] } });
          const files = new Map<string, WorldImage>();
          const [mos, test] = [new Map<string, number>(), new Set<string>()];
          const mosScale = { range: [0, 100] as [number, number], lowerIsBetter: false };
          const browser = openBrowser(project);
          const setContext = () => {
            const [ratings, tested] = [new Map(mos), new Set(test)];
            const splitOf = (hash: string) => (tested.has(hash) ? ("test" as const) : ("train" as const));
            browser.setContext(
              liveContext(project, { mos: ratings, splitOf, scorer: studentScorer(mosScale) }),
            );
          };
          setContext();
          const check = async ({ score, ...query }: Question) => {
            const shown = score && (score.map((s) => studentToMos(s, mosScale)) as [number, number]);
            const usable = [...files.values()].sort((a, b) => compare(a.path, b.path));
            const wanted = usable
              .filter((file) => usable.find((other) => other.hash === file.hash) === file)
              .map((file) => ({ file, row: browser.row(file.hash)! }))
              .filter(({ row }) => matches(row, { ...query, score }, mosScale))
              .sort((a, b) => order(a, b, query));
            const page = await browser.images({ ...query, score: shown, offset: 0, limit: 100 });
            expect(page.rows).toEqual(wanted.map(({ row }) => row));
            expect(page.total).toBe(wanted.length);
          };
          try {
            for (const step of [...changes, { kind: "ask" as const, question: last }]) {
              const hash = hashOf("id" in step ? step.id : 0);
              const file = `photos/${"name" in step ? step.name : ""}.jpg`;
              if (step.kind === "ask") await check(step.question);
              if (step.kind === "add") {
                files.set(file, { path: file, hash, mtimeMs: step.id % 3 });
                putIndex(project, [files.get(file)!]);
              }
              if (step.kind === "drop" && files.delete(file)) dropFromIndex(project, file);
              if (step.kind === "score") putScores(project, "calibrate-1", [[hash, step.value]]);
              if (step.kind === "label") putLabels(project, "t", [pointRow(hash, step.value)]);
              if (step.kind === "overrule") {
                const store = openLabels(project.labelsFile);
                store.overridePoint(hash, step.value);
                store.close();
              }
              if (step.kind === "rate") mos.set(hash, step.value);
              if (step.kind === "split") test.add(hash);
              if (step.kind === "rate" || step.kind === "split") setContext();
              if (step.kind === "forget scores")
                rmSync(path.join(project.cache, "scores.sqlite"), { force: true });
            }
          } finally {
            browser.close();
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});

type Question = Omit<ImageQuery, "score"> & { score?: [number, number] | undefined };
const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function matches(row: ImageRow, query: Question, scale: Parameters<typeof mosToStudent>[1]): boolean {
  if (query.text && !row.path.toLowerCase().includes(query.text.toLowerCase())) return false;
  if (query.score) {
    if (row.score === null) return false;
    const inner = mosToStudent(row.score, scale);
    if (inner < query.score[0] - 1e-6 || inner > query.score[1] + 1e-6) return false;
  }
  if (query.far && !row.far) return false;
  if (query.mos && (query.mos === "rated") !== (row.mos !== null)) return false;
  return !query.split || row.split === query.split;
}

function order(
  a: { file: WorldImage; row: ImageRow },
  b: { file: WorldImage; row: ImageRow },
  { sort, descending }: Question,
): number {
  const sign = descending ? -1 : 1;
  if (sort === "path") return sign * compare(a.row.path, b.row.path);
  const value = ({ file, row }: typeof a) =>
    sort === "similar"
      ? (row.twins?.number ?? null)
      : sort === "modified"
        ? file.mtimeMs!
        : sort === "teacher"
          ? (row.teacher?.score ?? null)
          : row[sort];
  const [x, y] = [value(a), value(b)];
  if (x === null || y === null)
    return Number(x === null) - Number(y === null) || compare(a.row.path, b.row.path);
  return sign * (x - y) || compare(a.row.path, b.row.path);
}

function share(values: number[], value: number): number {
  const worse = values.filter((one) => one < value - 1e-9).length;
  const same = values.filter((one) => Math.abs(one - value) < 1e-9).length;
  return (worse + same / 2) / values.length;
}
