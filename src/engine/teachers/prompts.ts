import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { appRoot } from "../base/appRoot.ts";
import type { PromptsConfig } from "../config/teacher.ts";
import { teacherFamily } from "../config/tiles.ts";

/** One part of a question, in the order the model reads them. */
export type PromptPart = { type: "image"; image: 0 | 1 } | { type: "text"; text: string };

/** What a teacher is asked, with everything filled in. All of it is part of the teacher's fingerprint, but `reason`, and `canvas` where it is not asked. */
export interface Prompts {
  /** One image. */
  point: PromptPart[];
  /** Two images. */
  pair: PromptPart[];
  /** One image that shows two side by side, where a server takes one. */
  canvas: PromptPart[];
  /** One image; the answer is free text. */
  reason: PromptPart[];
  /** From best to worst. */
  words: [string, string, string, string, string];
  letters: [first: string, second: string];
  /** Its probability is given half to each image. */
  tie: string | null;
  /** Start of the point-wise answer, without a space at its end; null leaves the answer to the model. */
  prefill: string | null;
}

interface PromptFile {
  point: string;
  first: string;
  second: string;
  pair: string;
  beside: string;
  offer: string;
  reason: string;
  words: Prompts["words"];
  letters: Prompts["letters"];
  tie: string | null;
  prefill: string | null;
  domains: Record<string, { domain?: string; aspects: string }>;
  /** Changes of the keys above, by question. */
  questions?: Record<string, Partial<PromptFile>>;
}

/** The questions for a model: those of its family, with what the config changes. */
export function resolvePrompts(config: PromptsConfig, model: string): Prompts {
  const family = config.family === "auto" ? teacherFamily(model) : config.family;
  const { family: _, targets: __, domain, question = "quality", text: wanted = "", ...changes } = config;
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const files = [readPrompts("default"), readPrompts(family)];
  const file: PromptFile = Object.assign(
    {},
    ...files,
    ...files.map((one) => one.questions?.[question]),
    given,
  );
  const named = file.domains[domain] ?? { domain, aspects: file.domains.other!.aspects };
  const [first, second] = file.letters;
  const values: Record<string, string> = {
    domain: named.domain ?? domain,
    aspects: named.aspects,
    text: wanted,
    words: file.words.join(", "),
    first,
    second,
  };
  const tie = file.tie === null ? "" : fill(file.offer, { ...values, tie: file.tie });
  const text = (template: string): PromptPart => ({ type: "text", text: fill(template, { ...values, tie }) });
  const image = (at: 0 | 1): PromptPart => ({ type: "image", image: at });
  return {
    point: [image(0), text(file.point)],
    pair: [text(file.first), image(0), text(file.second), image(1), text(file.pair)],
    canvas: [image(0), text(file.beside), text(file.pair)],
    reason: [image(0), text(file.reason)],
    words: file.words,
    letters: file.letters,
    tie: file.tie,
    prefill: file.prefill === null || file.prefill.trim() === "" ? null : file.prefill.trimEnd(),
  };
}

function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole).trim();
}

function readPrompts(family: string): PromptFile {
  return parse(
    readFileSync(path.join(appRoot(), "assets", "prompts", `${family}.yaml`), "utf8"),
  ) as PromptFile;
}
