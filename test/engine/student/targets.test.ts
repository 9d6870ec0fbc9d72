import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import { prepare } from "../../../src/engine/images/views.ts";
import { resolveInterpreter } from "../../../src/engine/python/environment.ts";
import { pythonSnippet } from "../../../src/engine/report/pythonSnippet.ts";
import type { Scorer } from "../../../src/engine/scoring/context.ts";
import { openScorer } from "../../../src/engine/scoring/open.ts";
import type { OpenedImage } from "../../../src/engine/scoring/openedImages.ts";
import { scorePaths, scoreTable } from "../../../src/engine/scoring/score.ts";
import { openScores, scorerOf } from "../../../src/engine/scoring/scores.ts";
import { openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import type { StudentCard } from "../../../src/protocol/student.ts";
import { smallNetwork } from "../../support/onnxWriter.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const fixture = path.join(import.meta.dirname, "../../fixtures/student/student.json");
const known = JSON.parse(readFileSync(fixture, "utf8")) as StudentCard;
const { crop } = known.input;

/** Its score is the mean grey of a view, and the other target's the same below 0; both are calibrated, noise the other way round. */
function student(beside = "score_noise level"): string {
  const dir = temporaryFolder();
  const main = { range: [0, 100] as [number, number], lowerIsBetter: false };
  const noise = { range: [0, 8] as [number, number], lowerIsBetter: true };
  const card = {
    ...known,
    outputs: [],
    domain: null,
    mosScale: main,
    targets: [
      { name: "quality", score: "score", sd: null, mosScale: main },
      { name: "noise level", score: "score_noise level", sd: null, mosScale: noise },
    ],
  };
  writeFileSync(path.join(dir, "student.json"), JSON.stringify(card));
  writeFileSync(path.join(dir, "student.onnx"), smallNetwork(crop, { beside }));
  return dir;
}

async function grey(value: number) {
  const file = path.join(temporaryFolder(), `${value}.png`);
  const background = { r: value, g: value, b: value };
  const bytes = await sharp({ create: { width: 48, height: 48, channels: 3, background } })
    .png()
    .toBuffer();
  writeFileSync(file, bytes);
  return { path: file, hash: hashBytes(bytes) };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("a student of two targets", () => {
  it("scores both, each on its own scale", async () => {
    const dir = student();
    const images = [await grey(2), await grey(5)];
    const opened = await openStudent(dir, { threads: 1 });
    try {
      const scored = await all(scoreImages(opened, images));
      expect(scored).toMatchObject([
        { score: 2, beside: { "noise level": { score: -2 } } },
        { score: 5, beside: { "noise level": { score: -5 } } },
      ]);
    } finally {
      await opened.close();
    }
    const result = await scorePaths(
      images.map((one) => one.path),
      { student: dir },
    );
    // 2 on 1..5 is a quarter of 0..100; of noise, where 1 is the worst of 0..8: 8 - 8 (s - 1) / 4.
    expect(result.scores.map(({ targets }) => targets)).toEqual([
      { quality: { score: 25 }, "noise level": { score: 14 } },
      { quality: { score: 100 }, "noise level": { score: 20 } },
    ]);
    expect(result.student.targets).toEqual([
      { name: "quality", scale: [0, 100] },
      { name: "noise level", scale: [0, 8] },
    ]);
    expect(scoreTable(result)).toEqual({
      header: ["image", "score", "score_noise level"],
      rows: [
        [images[0]!.path, 25, 14],
        [images[1]!.path, 100, 20],
      ],
    });
  });

  it("says the same in Python", async () => {
    const dir = student();
    const image = await grey(77);
    const program = `${pythonSnippet.split("\n\n\nfor path")[0]!}
views = windows(sys.argv[1])
print(json.dumps([float(session.run([name], {"pixels": views})[0].mean()) for name in ("score", "score_noise level")]))
`;
    const python = resolveInterpreter(undefined, dir);
    const { stdout } = await promisify(execFile)(python, ["-c", program, image.path], { cwd: dir });
    const opened = await openStudent(dir, { threads: 1 });
    try {
      const [one] = await all(scoreImages(opened, [image]));
      const { score, beside } = one as { score: number; beside: Record<string, { score: number }> };
      const [main, noise] = JSON.parse(stdout) as [number, number];
      expect(main).toBeCloseTo(77, 4);
      expect(score).toBeCloseTo(main, 4);
      expect(beside["noise level"]!.score).toBeCloseTo(noise, 4);
    } finally {
      await opened.close();
    }
  }, 60_000);

  it("has its scores kept under the scorer and the target", async () => {
    const image = await grey(3);
    const scorer: Pick<Scorer, "kind" | "fingerprint" | "dir"> = {
      kind: "student",
      fingerprint: "calibrate-1",
      dir: student(),
    };
    const open = await openScorer(scorer);
    const bytes = async () => readFileSync(image.path);
    const withPixels: OpenedImage["withPixels"] = async (work) => work(await decodeImage(image.path));
    const prepared: OpenedImage["prepared"] = async (input) => prepare(await decodeImage(image.path), input);
    const row = await open.score({ ...image, bytes, withPixels, prepared });
    await open.close();
    const store = openScores(path.join(temporaryFolder(), "scores.sqlite"));
    try {
      store.put(scorer.fingerprint, [row]);
      store.put(scorer.fingerprint, [
        { ...row, score: 4, beside: { "noise level": { score: -4, sd: 0.5 } } },
      ]);
      expect(store.get(scorer.fingerprint, image.hash)).toMatchObject({ score: 4 });
      expect(store.get(scorerOf(scorer.fingerprint, "noise level"), image.hash)).toMatchObject({
        score: -4,
        sd: 0.5,
      });
      expect([...store.sortedScores(scorerOf(scorer.fingerprint, "noise level"))]).toEqual([-4]);
      expect(() => store.put("x", [{ ...row, beside: { noise: { score: Number.NaN } } }])).toThrow(
        RangeError,
      );
      expect(store.count("x")).toBe(0);
      await store.removeOthers((one) => one.split("#")[0] !== scorer.fingerprint);
      expect(store.count(scorerOf(scorer.fingerprint, "noise level"))).toBe(0);
    } finally {
      store.close();
    }
  });

  it("is refused where its file lacks what the card promises", async () => {
    await expect(openStudent(student("score_other"))).rejects.toMatchObject({
      code: "input",
      message: expect.stringContaining("it has no output `score_noise level`"),
    });
  });
});
