import { expect, it } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../../src/engine/config/config.ts";
import { questionOf } from "../../../src/engine/config/namedQuestion.ts";
import { teacherFor } from "../../../src/engine/config/questions.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { resolvePrompts } from "../../../src/engine/teachers/prompts.ts";

const openai = "kind: openai, endpoint: 'http://127.0.0.1:1/v1', model: m";
const configOf = (teacher: string, score = "{ quality: mos, aesthetics: b, noise: n }") =>
  configSchema.parse(parse(`images: p\nmos: { file: m.csv, score: ${score} }\nteacher: ${teacher}`));
const asked = (teacher: string, target: string, score?: string) => {
  const own = teacherFor(configOf(teacher, score).teacher, target);
  return own && "prompts" in own && own.kind !== "clip" ? resolvePrompts(own.prompts, "m") : undefined;
};
const words = (parts: readonly { type: string }[] = []) => JSON.stringify(parts);

it("a target is asked for by the question that it is named after", () => {
  for (const [name, question] of [
    ["quality", "quality"],
    ["mos_quality", "quality"],
    ["Aesthetic score", "aesthetics"],
    ["beauty", "aesthetics"],
    ["mos_align", "alignment"],
    ["noise", undefined],
    ["inequality", undefined],
    ["beauty of noise", undefined],
  ])
    expect([name, questionOf(name!)]).toEqual([name, question]);
  expect(words(asked(`{ ${openai} }`, "aesthetics")?.point)).toContain("how beautiful");
  expect(asked(`{ ${openai} }`, "noise")).toBeUndefined();
  // Alignment with what?
  expect(asked(`{ ${openai} }`, "align", "{ quality: q, align: a }")).toBeUndefined();
  const told = asked(`{ ${openai}, prompts: { text: a red fox } }`, "align", "{ quality: q, align: a }");
  expect(words(told?.pair)).toContain("should show: a red fox");
});

it("its own words replace them, and what is of the question is not taken from the main one", () => {
  const prompts = `domain: scan, letters: [X, Y], words: [a, b, c, d, e], point: Main?, pair: Main?, prefill: "It is"`;
  const noise =
    "point: 'How clean is this {domain}? {words}', pair: 'Which {domain} is cleaner, {first} or {second}?'";
  const found = asked(
    `{ ${openai}, prompts: { ${prompts}, targets: { noise: { ${noise} }, aesthetics: null } } }`,
    "noise",
  )!;
  expect(words(found.point)).toContain("How clean is this scan? excellent, good, fair, poor, bad");
  expect(words(found.pair)).toContain("Which scan is cleaner, X or Y?");
  expect(found.prefill).toBeNull();
  expect(asked(`{ ${openai}, prompts: { targets: { aesthetics: null } } }`, "aesthetics")).toBeUndefined();
  const byQuestion = asked(
    `{ ${openai}, prompts: { ${prompts}, targets: { noise: { question: aesthetics } } } }`,
    "noise",
  );
  expect(words(byQuestion?.point)).toContain("how beautiful this scan is");
});

it("the main target is asked by its name too, but for one target nothing is", () => {
  const main = (score: string, more = "") => {
    const { teacher } = configOf(`{ ${openai}${more} }`, score);
    return teacher.kind === "openai" && teacher.prompts.question;
  };
  expect(main("{ aesthetics: b, quality: q }")).toBe("aesthetics");
  expect(main("{ aesthetics: b, quality: q }", ", prompts: { question: quality }")).toBe("quality");
  expect(main("aesthetics")).toBe("quality");
  expect(main("[align, quality]")).toBe("quality");
  expect(words(asked(`{ ${openai} }`, "quality", "{ aesthetics: b, quality: q }")?.point)).toContain(
    "visual quality",
  );
});

it("those that have no words are not asked, and an ensemble is those that have", () => {
  expect(teacherFor(configOf("{ kind: embedded }").teacher, "aesthetics")).toBeUndefined();
  const clip =
    "{ kind: clip, model: c, prompts: { domain: scan, quality: [[g, b]], targets: { noise: { quality: [[clean, noisy]] } } } }";
  expect(teacherFor(configOf(clip).teacher, "aesthetics")).toBeUndefined();
  expect(teacherFor(configOf(clip).teacher, "noise")).toMatchObject({
    prompts: { domain: "scan", quality: [["clean", "noisy"]] },
  });
  const ensemble = `{ kind: ensemble, weights: [1, 2, 3], of: [{ kind: embedded }, ${clip}, { ${openai}, prompts: { targets: { noise: { question: quality } } } }] }`;
  const { teacher } = configOf(ensemble);
  expect(teacherFor(teacher, "noise")).toMatchObject({
    kind: "ensemble",
    weights: [2, 3],
    of: [{ kind: "clip" }, { kind: "openai" }],
  });
  expect(teacherFor(teacher, "aesthetics")).toMatchObject({ kind: "openai" });
});

it("says where a question is of no target, or is none", () => {
  const problem = (targets: string, score = "{ quality: mos, noise: n }") => {
    const parsed = parseConfig(
      `images: p\nmos: { file: m.csv, score: ${score} }\nteacher:\n  kind: openai\n  endpoint: http://127.0.0.1:1/v1\n  model: m\n  prompts:\n    targets: ${targets}\n`,
    );
    return parsed.ok ? undefined : `${parsed.problems[0]!.line}: ${parsed.problems[0]!.message}`;
  };
  expect(problem("{ noise: { question: aesthetics } }")).toBeUndefined();
  expect(problem("{ colour: { question: aesthetics } }")).toBe(
    "8: `teacher.prompts.targets.colour`: is no target of `mos.score`",
  );
  expect(problem("{ quality: { question: aesthetics } }")).toContain("is the main target");
  expect(problem("{ noise: { point: How noisy? } }")).toContain(
    "needs a `question`, or your own `point` and `pair`",
  );
  expect(problem("{ noise: { question: alignment } }")).toContain("is missing: `alignment`");
  expect(problem("{ noise: { questoin: quality } }")).toContain("did you mean `question`?");
});
