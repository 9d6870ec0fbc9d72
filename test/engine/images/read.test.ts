import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject, type Project } from "../../../src/engine/config/project.ts";
import { openTensorCache, writeTensorCache } from "../../../src/engine/images/tensorCache.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { labelStage } from "../../../src/engine/pipeline/stages/label.ts";
import { dryRunLabels } from "../../../src/engine/pipeline/stages/labelPreview.ts";
import { studentTable } from "../../../src/engine/selection/studentTable.ts";
import { openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { createEmbeddedTeacher } from "../../../src/engine/teachers/embedded/teacher.ts";
import { imageMessage } from "../../../src/engine/teachers/transformers/pixels.ts";
import { type ChatRequest, completion, picturesIn, startChatServer } from "../../support/chatServer.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

// Files are replaced while they are worked on, as a sync tool or an export does: nothing of the new pixels may be filed under
// the hash of the old ones.

const count = 40;
let photos: string;
let project: Project;
/** By hash: the file's name and bytes. */
let originals: Map<string, { name: string; bytes: Buffer }>;
let other: Buffer;

async function makeProject(teacher: string): Promise<void> {
  const root = temporaryFolder();
  photos = path.join(root, "photos");
  mkdirSync(photos);
  originals = new Map();
  for (let i = 0; i < count; i++) {
    const bytes = await picture(96, 64, i)
      .modulate({ brightness: 0.3 + i / count })
      .png()
      .toBuffer();
    originals.set(hashBytes(bytes), { name: `${i}.png`, bytes });
  }
  other = await sharp({ create: { width: 96, height: 64, channels: 3, background: "#fff" } })
    .png()
    .toBuffer();
  restore();
  writeFileSync(
    path.join(root, "leaf.yaml"),
    `images: photos\nsplit: { test: 0, val: 0 }\nteacher: ${teacher}\nlabel: { pairsPerImage: 3, reasons: true, pauseAtFailures: null }\n`,
  );
  project = await openProject(path.join(root, "leaf.yaml"));
}

function restore(): void {
  for (const { name, bytes } of originals.values()) writeFileSync(path.join(photos, name), bytes);
}

/** All but a few files get other pixels. */
function replace(): void {
  for (const name of readdirSync(photos)) writeFileSync(path.join(photos, name), other);
}

interface Rows {
  points: { hash: string; score: number }[];
  failed: { image: string; reason: string }[];
  pairs: { a: string; b: string; pAB: number | null }[];
}

function rowsOf(): Rows {
  const store = openLabels(project.labelsFile, { readOnly: true });
  const { fingerprint } = store.teachers()[0]!;
  const rows = {
    points: [...store.points(fingerprint)].map(({ image, score }) => ({ hash: image, score })),
    failed: [...store.failedPoints(fingerprint)],
    pairs: [...store.pairs(fingerprint)].map(({ a, b, pAB }) => ({ a, b, pAB })),
  };
  store.close();
  return rows;
}

/** Labels, and replaces the files once some images or pairs are done. */
function labelWhileReplaced(step: "points" | "pairs", after: number) {
  let replaced = false;
  return labelStage(project, {
    onProgress(progress) {
      if (replaced || progress.step !== step || progress.done < after) return;
      replaced = true;
      replace();
    },
  });
}

describe("the embedded teacher", () => {
  beforeEach(() => makeProject("{ kind: embedded }"));

  async function truth(): Promise<Map<string, number>> {
    const teacher = await createEmbeddedTeacher();
    const images = [...originals].map(([hash, { name, bytes }]) => ({ hash, name, read: async () => bytes }));
    const judged = await teacher.judgePoints(images);
    await teacher.close();
    return new Map(
      judged.map((one, i) => {
        if (!one.ok) throw new Error(one.reason);
        return [images[i]!.hash, one.probabilities.reduce((sum, p, k) => sum + (5 - k) * p, 0)] as const;
      }),
    );
  }

  it("gives no point of other pixels, tells the changed files, and asks them again", async () => {
    const right = await truth();
    const result = await labelWhileReplaced("points", 16);
    const { points, failed } = rowsOf();
    expect(points.filter(({ hash, score }) => Math.abs(score - right.get(hash)!) > 1e-9)).toEqual([]);
    expect(points.length).toBeGreaterThan(0);
    expect(result.points.failed).toBe(count - points.length);
    for (const { reason } of failed)
      expect(reason).toMatch(/^photos\/\d+\.png: the file has changed since it was indexed/);
    restore();
    const again = await labelStage(project, {});
    expect(again.points).toEqual({ labelled: count - points.length, reused: points.length, failed: 0 });
    expect(rowsOf().points.filter(({ hash, score }) => Math.abs(score - right.get(hash)!) > 1e-9)).toEqual(
      [],
    );
  });
});

describe("an openai teacher", () => {
  let server: Awaited<ReturnType<typeof startChatServer>>;
  beforeEach(async () => {
    server = await startChatServer(byBrightness);
    await makeProject(`{ kind: openai, endpoint: "${server.url}", model: m, concurrency: 4 }`);
  });
  afterEach(() => server.close());

  /** What it sees decides: white is excellent, anything else is not. */
  async function byBrightness(request: ChatRequest) {
    const white = await Promise.all(
      picturesIn(request).map(async (url) => {
        const { channels } = await sharp(Buffer.from(url.split(",")[1]!, "base64")).stats();
        return channels.every(({ mean }) => mean > 254);
      }),
    );
    if (white.length === 2)
      return completion(white[0] || white[1] ? { A: 0.9, B: 0.05 } : { A: 0.5, B: 0.45 });
    return completion(
      white[0]
        ? { excellent: 0.9, good: 0.02, fair: 0.02, poor: 0.02, bad: 0.02 }
        : { good: 0.6, fair: 0.2, excellent: 0.1, poor: 0.05, bad: 0.04 },
    );
  }

  it("gives no point, pair or reason of other pixels", async () => {
    await labelWhileReplaced("points", 12);
    const { points, failed } = rowsOf();
    expect(points.length).toBeGreaterThan(0);
    expect(failed.length).toBeGreaterThan(0);
    expect(points.filter(({ score }) => score > 4.5)).toEqual([]);
    for (const { reason } of failed) expect(reason).toContain("the file has changed since it was indexed");
    const shown = server.requests.slice(-1)[0]!;
    expect(picturesIn(shown).length).toBeGreaterThan(0);
  });

  it("gives no pair of other pixels", async () => {
    await labelStage(project, { only: "points" });
    await labelWhileReplaced("pairs", 10);
    const { pairs } = rowsOf();
    expect(pairs.length).toBeGreaterThan(0);
    expect(pairs.filter(({ pAB }) => pAB !== null && pAB > 0.8)).toEqual([]);
  });

  it("shows no dry run of other pixels", async () => {
    const options = { onProgress: ({ stage }: { stage: string }) => void (stage === "label" && replace()) };
    const found = await dryRunLabels(project, 2, options).catch((error: unknown) => String(error));
    if (typeof found === "string") expect(found).toContain("the file has changed since it was indexed");
    else for (const { label } of found.questions) expect(label!.value).toBeLessThan(4.5);
  });
});

describe("a transformers teacher", () => {
  it("is sent no pixels of other bytes", async () => {
    await makeProject("{ kind: embedded }");
    const [hash, { bytes }] = [...originals][0]!;
    const image = (read: Buffer) => ({ hash, name: "a.png", read: async () => read });
    expect(await imageMessage(image(bytes), 32)).toMatchObject({ type: "image", image: hash, width: 32 });
    expect(await imageMessage(image(other), 32)).toEqual({
      v: 1,
      type: "unreadable",
      image: hash,
      reason: "a.png: the file has changed since it was indexed.",
    });
  });
});

describe("what is kept by hash", () => {
  beforeEach(() => makeProject("{ kind: embedded }"));
  const dir = path.resolve("test/fixtures/student");
  const items = () => [...originals].map(([hash, { name }]) => ({ hash, path: path.join(photos, name) }));

  it("holds scores of the right bytes only, and looks at changed files again", async () => {
    const student = await openStudent(dir);
    const right = new Map<string, number>();
    for await (const one of scoreImages(student, items()))
      if ("score" in one) right.set(one.item.hash, one.score);
    expect(right.size).toBe(count);
    const halfway = items().slice(0, count / 2);
    for (const { path: file } of halfway) writeFileSync(file, other);
    const scored: [string, number][] = [];
    const reasons: string[] = [];
    for await (const one of scoreImages(student, items()))
      if ("score" in one) scored.push([one.item.hash, one.score]);
      else reasons.push(one.reason);
    expect(scored).toEqual(scored.map(([hash]) => [hash, right.get(hash)]));
    expect(scored.length).toBe(count / 2);
    for (const reason of reasons) expect(reason).toContain("the file has changed since it was indexed");
    const table = await studentTable(project, "distill-x", dir, items());
    expect(table.hashes.length).toBe(count / 2);
    restore();
    const whole = await studentTable(project, "distill-x", dir, items());
    expect(whole.hashes.map((hash, i) => [hash, whole.scores[i]])).toEqual(
      whole.hashes.map((hash) => [hash, right.get(hash)]),
    );
    expect(whole.hashes.length).toBe(count);
    await student.close();
  });

  it("holds tensors of the right bytes only, and is not taken for whole", async () => {
    const input = { resize: 48, crop: 32, views: 1 } as const;
    const cache = path.join(project.cache, "tensors", "t");
    writeFileSync(items()[3]!.path, other);
    const { failed } = await writeTensorCache(cache, items(), input);
    expect(failed).toMatchObject([{ hash: items()[3]!.hash, lasting: false }]);
    const reader = (await openTensorCache(cache))!;
    expect(await reader.picture(3)).toBeUndefined();
    expect(reader.passing).toBe(1);
    await reader.close();
    expect(readFileSync(path.join(cache, "hashes.txt"), "ascii").split("\n").length).toBe(count + 1);
  });
});
