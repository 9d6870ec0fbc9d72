import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { appRoot } from "../../../src/engine/base/appRoot.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { teacherFamily } from "../../../src/engine/config/tiles.ts";
import { type PromptPart, resolvePrompts } from "../../../src/engine/teachers/prompts.ts";

function promptsOf(prompts: object, model = "some-model") {
  const teacher = { kind: "transformers", model, prompts };
  const parsed = parseConfig(`images: a\nteacher: ${JSON.stringify(teacher)}\n`);
  if (!parsed.ok || parsed.config.teacher.kind !== "transformers") throw new Error("a wrong config");
  return resolvePrompts(parsed.config.teacher.prompts, model);
}

const spelt = (parts: PromptPart[]) =>
  parts.map((part) => (part.type === "image" ? `<${part.image}>` : part.text)).join("\n");

describe("prompts", () => {
  it("know the model families by their names", () => {
    expect(
      [
        "OpenGVLab/InternVL3_5-8B-HF",
        "intern-vl-2",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        "qwen3-vl:8b",
        "llava-hf/llava-1.5-7b-hf",
        "gpt-4o",
      ].map(teacherFamily),
    ).toEqual(["internvl", "internvl", "qwen-vl", "qwen-vl", "llava", "default"]);
  });

  it.each(["default", "internvl", "qwen-vl", "llava"])("of %s are whole", (family) => {
    const prompts = promptsOf({ family });
    for (const parts of [prompts.point, prompts.pair, prompts.reason])
      expect(spelt(parts)).not.toMatch(/[{}]/);
    expect(spelt(prompts.point)).toMatch(/^<0>\n.*photo.*excellent, good, fair, poor, bad/s);
    expect(spelt(prompts.pair)).toMatch(/^.*A.*\n<0>\n.*B.*\n<1>\n.*photos.*: A if.*, B if/s);
    expect(prompts.words).toEqual(["excellent", "good", "fair", "poor", "bad"]);
  });

  it("fill in the domain, which may be free text", () => {
    expect(spelt(promptsOf({ domain: "aigc" }).point)).toContain(
      "this AI-generated image. Consider sharpness, texture",
    );
    expect(spelt(promptsOf({ domain: "product render" }).pair)).toContain("these two product renders");
  });

  it.each(["photo", "aigc", "render", "document", "medical", "satellite", "product shot"])(
    "ask of %s for quality, beauty, or what it should show",
    (domain) => {
      const asked = (["quality", "aesthetics", "alignment"] as const).map((question) =>
        promptsOf({ domain, question, text: "a red car" }),
      );
      for (const { point, pair, canvas, reason } of asked)
        for (const parts of [point, pair, canvas, reason]) expect(spelt(parts)).not.toMatch(/[{}]/);
      for (const of of ["point", "pair", "reason"] as const)
        expect(new Set(asked.map((prompts) => spelt(prompts[of]))).size).toBe(3);
      const [quality, aesthetics, alignment] = asked.map(({ point }) => spelt(point));
      expect(quality).toMatch(/visual quality.*Consider .*\bexcellent, good, fair, poor, bad\./s);
      expect(aesthetics).toMatch(/how beautiful.*not technical flaws.*\bexcellent, good, fair, poor, bad\./s);
      expect(alignment).toMatch(/should show: a red car\n?.*\bexcellent, good, fair, poor, bad\./s);
      expect(asked.every(({ words }) => words[0] === "excellent")).toBe(true);
    },
  );

  it("of a question begin the answer where a family needs it, and give way to a question of one's own", () => {
    const llava = (question: string) => promptsOf({ question, text: "x" }, "llava-1.5-7b").prefill;
    expect(["quality", "aesthetics", "alignment"].map(llava)).toEqual([
      "The quality of the image is",
      "The beauty of the image is",
      "The match with the text is",
    ]);
    const own = promptsOf({ question: "alignment", text: "a cat", point: "Is it {text}? {words}" });
    expect(spelt(own.point)).toBe("<0>\nIs it a cat? excellent, good, fair, poor, bad");
    expect(spelt(own.pair)).toContain("should show: a cat");
  });

  it("stand on the reference sheet as they are asked", () => {
    const sheet = readFileSync(path.join(appRoot(), "docs", "prompts.md"), "utf8");
    for (const domain of ["photo", "aigc", "render", "document", "medical", "satellite", "your own words"]) {
      const [, named, aspects] = /this (.*?)\. Consider (.*?)\.\n?/.exec(spelt(promptsOf({ domain }).point))!;
      const row = sheet
        .split("\n")
        .find((line) => line.startsWith(`| \`${domain}\``) || line.startsWith(`| ${domain} |`));
      expect(row, domain).toContain(`| ${aspects} |`);
      if (domain !== "your own words") expect(row, domain).toContain(`| ${named} |`);
    }
  });

  it("need the text that images are compared with", () => {
    const config = "images: a\nteacher: { kind: transformers, model: m, prompts: { question: alignment } }\n";
    const read = parseConfig(config);
    expect(read).toMatchObject({ ok: false, problems: [{ path: ["teacher", "prompts", "text"], line: 2 }] });
  });

  it("take words, letters, a tie and questions from the config", () => {
    const prompts = promptsOf({
      words: ["superb", "fine", "so-so", "weak", "awful"],
      letters: ["first", "second"],
      tie: "same",
      point: "Is this {domain} {words}?",
      prefill: "It is ",
    });
    expect(spelt(prompts.point)).toBe("<0>\nIs this photo superb, fine, so-so, weak, awful?");
    expect(spelt(prompts.pair)).toContain(
      "first if it is image first, second if it is image second, same if there is no difference",
    );
    expect(prompts).toMatchObject({ letters: ["first", "second"], tie: "same", prefill: "It is" });
  });

  it("of LLaVA begin the answer, unless told not to", () => {
    expect(promptsOf({}, "llava-hf/llava-1.5-7b-hf").prefill).toBe("The quality of the image is");
    expect(promptsOf({ prefill: null }, "llava-hf/llava-1.5-7b-hf").prefill).toBeNull();
    expect(promptsOf({ family: "default" }, "llava-hf/llava-1.5-7b-hf").prefill).toBeNull();
  });

  it("leave braces alone that name nothing", () => {
    expect(spelt(promptsOf({ point: "{what} is {domain}" }).point)).toBe("<0>\n{what} is photo");
  });
});
