import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, test } from "vitest";
import { comparedTable, compareRuns, type RunPlace } from "../../../src/engine/experiments/compareRuns.ts";
import { tableAs } from "../../../src/engine/experiments/formats.ts";
import { predictionsFile } from "../../../src/engine/pipeline/predictions.ts";
import { hashOf } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

let project: RunPlace["project"];
beforeEach(() => {
  project = { leaf: temporaryFolder() } as RunPlace["project"];
});

/** A run that was evaluated: scores of the images from `first` on, whose MOS are 1, 2, 3 … */
function place(name: string, scores: readonly number[], { first = 0, groups = false } = {}): RunPlace {
  const key = name.padEnd(16, "0");
  const file = predictionsFile(project, key);
  mkdirSync(path.dirname(file), { recursive: true });
  const rows = scores.map((score, i) => {
    const at = first + i;
    return `im${at}.jpg,${hashOf(at)},${score},${at + 1},${groups ? `g${Math.floor(at / 2)}` : ""}\n`;
  });
  writeFileSync(file, `image,hash,score,mos,group\n${rows.join("")}`);
  return { name, project, run: { stages: { evaluate: { key } } } as unknown as RunPlace["run"] };
}

test("two runs are compared on the images that both have, each with its own figures there", async () => {
  const a = place("aa", [9, 9, 1, 2, 3, 4, 5]);
  // Ranks 2 1 3 5 4 of MOS 3 4 5 6 7, images 2 to 6: 1 − 6 · 4 / 120.
  const b = place("bb", [2, 1, 3, 5, 4, 9], { first: 2 });
  const compared = await compareRuns(a, b, { bootstrap: 400 });
  expect(compared).toMatchObject({ n: 5, otherMos: 0, metrics: { srcc: { a: 1, b: 0.8 } } });
  expect(compared.groups).toBeUndefined();
  const { test: srcc } = compared.metrics.srcc;
  expect(srcc!.difference).toBeCloseTo(0.2, 12);
  expect(srcc!.interval[0]).toBeGreaterThanOrEqual(0);
  // Scores 1 to 5 of MOS 3 to 7 are off by 2; the others by 1 3 2 1 3.
  expect(compared.metrics.rmse).toMatchObject({ a: 2, b: Math.sqrt(24 / 5) });
});

test("the same student is no better than itself, and whole groups are drawn", async () => {
  const scores = [1, 3, 2, 5, 4, 6, 8, 7];
  const [a, b] = [place("cc", scores, { groups: true }), place("dd", scores, { groups: true })];
  const compared = await compareRuns(a, b, { bootstrap: 200 });
  expect(compared.groups).toBe(4);
  expect(compared.metrics.plcc.test).toMatchObject({ difference: 0, interval: [0, 0], p: 1 });
  const latex = tableAs(comparedTable(compared), "latex");
  // Neighbours have changed places three times: 1 − 6 · 6 / 504.
  expect(latex).toContain("SRCC & 0.929 & 0.929 & $\\pm$0.000 {[}$\\pm$0.000, $\\pm$0.000{]} & 1.000 \\\\");
  expect(latex).toContain("paired bootstrap over 4 groups of images");
  expect(latex).toContain("With fewer than 10 groups the intervals are rough");
});

test("runs on other images, and one that was not evaluated, are told", async () => {
  const a = place("ee", [1, 2, 3]);
  const far = place("ff", [1, 2, 3], { first: 50 });
  await expect(compareRuns(a, far, { bootstrap: 100 })).rejects.toThrow("evaluated on different images");
  const none = { ...far, name: "zz", run: { stages: {} } as RunPlace["run"] };
  await expect(compareRuns(a, none, { bootstrap: 100 })).rejects.toThrow("zz has not been evaluated");
});
