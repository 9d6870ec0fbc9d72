import { cpSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { decodeImage } from "../../../src/engine/images/decode.ts";
import type { Scorer } from "../../../src/engine/scoring/context.ts";
import { createScorerProcess, type ScoredOrFailed } from "../../../src/engine/scoring/process.ts";
import { scorePaths } from "../../../src/engine/scoring/score.ts";
import { openScores } from "../../../src/engine/scoring/scores.ts";
import { studentTable } from "../../../src/engine/selection/studentTable.ts";
import { heatMap } from "../../../src/engine/student/heatMap.ts";
import { judgePicture, openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { pairPreference, pointJudgement } from "../../../src/engine/teachers/transformers/teacher.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

/** The fixture with another number in the place of its slope, which scales scores and maps alike. */
function studentWith(slope: number, constant = 4 / 255): string {
  const dir = temporaryFolder();
  cpSync(path.resolve("test/fixtures/student"), dir, { recursive: true });
  const file = path.join(dir, "student.onnx");
  const bytes = readFileSync(file);
  const known = Buffer.alloc(4);
  known.writeFloatLE(constant);
  const at = bytes.indexOf(known);
  expect(at).toBeGreaterThan(0);
  bytes.writeFloatLE(slope, at);
  writeFileSync(file, bytes);
  return dir;
}

async function image() {
  const file = path.join(temporaryFolder(), "a.png");
  const bytes = await picture(80, 60, 9).png().toBuffer();
  writeFileSync(file, bytes);
  return { path: file, hash: hashBytes(bytes) };
}

for (const slope of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
  describe(`a student that gives ${slope}`, () => {
    it("scores nothing, and says so", async () => {
      const [student, one] = [studentWith(slope), await image()];
      const error: unknown = await scorePaths([one.path], { student }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "failed",
        result: { scores: [], failed: [{ image: one.path, reason: "The student gave no number." }] },
      });
      const opened = await openStudent(student);
      for await (const scored of scoreImages(opened, [one], { features: true }))
        expect(scored).toMatchObject({ reason: "The student gave no number." });
      const pixels = await decodeImage(one.path);
      await expect(judgePicture(opened, pixels)).rejects.toMatchObject({ code: "failed" });
      await expect(heatMap(opened, pixels)).rejects.toMatchObject({ code: "failed" });
      await opened.close();
    });

    it("is no candidate of a selection", async () => {
      const root = temporaryFolder();
      writeFileSync(path.join(root, "leaf.yaml"), "images: .\n");
      const project = await openProject(path.join(root, "leaf.yaml"));
      const one = await image();
      expect((await studentTable(project, "s", studentWith(slope), [one])).hashes).toEqual([]);
    });
  });

it("the scoring process fails the image, and its store refuses what is no number", async () => {
  const scorer = createScorerProcess({ entry: path.resolve("src/engine/scoring/main.ts") });
  const one = await image();
  const told: ScoredOrFailed[] = [];
  const by: Scorer = {
    kind: "student",
    fingerprint: "nan",
    dir: studentWith(Number.NaN),
    card: null,
    run: null,
  };
  await scorer.score(by, [one], { priority: "now", onScored: (scored) => told.push(scored) });
  await scorer.close();
  expect(told).toEqual([{ hash: one.hash, reason: "The student gave no number." }]);
  const store = openScores(path.join(temporaryFolder(), "scores.sqlite"));
  const row = (hash: string, score: number) => ({ hash, score, probabilities: null, confidence: null });
  for (const score of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => store.put("s", [row("a", 3), row("b", score)])).toThrow(RangeError);
  expect(store.count("s")).toBe(0);
  store.close();
});

it("probabilities of a teacher that are no numbers are no judgement", () => {
  const masses = [0.2, 0.2, Number.NaN, 0.2, 0.2];
  expect(pointJudgement({ ok: true, masses })).toMatchObject({ ok: false });
  expect(
    pointJudgement({ ok: true, masses: masses.map((m) => m || Number.POSITIVE_INFINITY) }),
  ).toMatchObject({
    ok: false,
  });
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(pairPreference({ ok: true, ab: [bad, 0.5], ba: null }, { letters: ["A", "B"] })).toMatchObject({
      ok: false,
    });
});
