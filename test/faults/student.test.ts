import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leaf } from "../integration/workspace.ts";
import { picture } from "../support/pictures.ts";
import { mutated, mutatedValue } from "./support/mutate.ts";
import { temporaryFolder, trials, within } from "./support/trials.ts";

// A student of a stranger's: scores, or one sentence; never NaN, another error, or a process that dies.

const fixture = path.resolve("test/fixtures/student");

test("a damaged student scores or says why not", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  const student = path.join(dir, "student");
  mkdirSync(student);
  await picture(64, 64).png().toFile(path.join(dir, "a.png"));
  const card = JSON.parse(readFileSync(path.join(fixture, "student.json"), "utf8"));
  const model = readFileSync(path.join(fixture, "student.onnx"));
  await trials("students", 50, async (random, keep) => {
    for (const name of ["student.json", "student.onnx"])
      copyFileSync(path.join(fixture, name), path.join(student, name));
    if (random() < 0.5) {
      const text = JSON.stringify(mutatedValue(random, card));
      keep(text);
      writeFileSync(path.join(student, "student.json"), text);
    } else {
      const bytes = mutated(random, model);
      keep(bytes);
      writeFileSync(path.join(student, "student.onnx"), bytes);
    }
    const { code, stdout, stderr } = await within(
      60,
      leaf(dir, "score", "a.png", "--student", "student", "--json"),
    );
    expect([0, 1, 2]).toContain(code);
    expect(stderr).not.toMatch(/unexpected|went wrong in LEAF|\n {4}at /);
    const answer = JSON.parse(stdout);
    for (const { score } of answer.scores ?? []) expect(Number.isFinite(score)).toBe(true);
    if (code !== 0) expect(answer.error?.message ?? answer.failed?.[0]?.reason).toBeTruthy();
  });
});
