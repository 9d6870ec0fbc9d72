import { expect, test } from "vitest";
import type { StageReason } from "../../src/protocol/project.ts";
import { english as t } from "../../src/words/translate.ts";
import { changeWords, whyWords } from "../../src/words/why.ts";

test("a change has its values, and under its section no more than its own name", () => {
  const change = { key: "distill.epochs", before: 20, after: 30 };
  expect(changeWords(t, change)).toBe("distill.epochs: 20 → 30");
  expect(changeWords(t, change, "distill")).toBe("epochs 20 → 30");
  expect(changeWords(t, change, "label")).toBe("distill.epochs: 20 → 30");
  expect(changeWords(t, { key: "split.groupBy", after: "folder" })).toBe('split.groupBy: none → "folder"');
  expect(changeWords(t, { key: "ratings" })).toBe("the human scores changed");
});

test("a stage's reason is one line: the first changes, or what is in the way", () => {
  const changes = ["a", "b", "c", "d"].map((name, i) => ({ key: `label.${name}`, before: i, after: i + 1 }));
  const changed: StageReason = { kind: "changed", changes };
  expect(whyWords(t, changed)).toBe("label.a: 0 → 1, label.b: 1 → 2, label.c: 2 → 3");
  expect(whyWords(t, changed, "label")).toBe("a 0 → 1, b 1 → 2, c 2 → 3");
  expect(whyWords(t, { kind: "upstream", stage: "label", state: "stale" })).toBe("label is stale");
  expect(whyWords(t, null)).toBe("");
});
