import { readFileSync } from "node:fs";
import { type Translate, translator } from "../../src/words/translate.ts";

const texts = JSON.parse(readFileSync("l10n/bundle.l10n.json", "utf8")) as Record<string, string>;

/** A language for tests: every text in ⟦ ⟧, and what stands in its places outside of them. */
export const pseudoBundle: Record<string, string> = Object.fromEntries(
  Object.entries(texts).map(([key, text]) => [
    key,
    text
      .split(/(\{\w+\})/)
      .map((part) => (part === "" || /^\{\w+\}$/.test(part) ? part : `⟦${part}⟧`))
      .join(""),
  ]),
);

export const pseudo: Translate = translator(pseudoBundle);

/** What is the same in every language: code, icons, addresses, keys, names of files, units and measures. */
const neutral = [
  /`⟧[^⟦]*⟦`/g,
  /⟦[^⟧]*⟧/g,
  /```[\s\S]*?```/g,
  /`[^`]*`/g,
  /"[^"]*"/g,
  /\*\*[\w.]+\*\*/g,
  /\$\([\w~-]+\)/g,
  /!\[\]\([^)]*\)/g,
  /\]\([^)]*\)/g,
  /<\/?[a-z][^>]*>/g,
  /(?:[\w.-]*[\\/])+[\w.-]*|[\w.-]+\.(?:yaml|csv|png|jpe?g|sqlite|txt)\b/g,
  /\b(?:SRCC|PLCC|KRCC|RMSE|MOS|LEAF|IQA|r\d+|min|kB|MB|GB|n|train|val|test|label|distill|calibrate|evaluate)\b/g,
];

/** The words of a text that did not come from the bundle. */
export function untranslated(text: string, ...own: RegExp[]): string[] {
  const rest = [...own, ...neutral].reduce((left, one) => left.replace(one, " "), text);
  return rest.match(/\p{L}{2,}/gu) ?? [];
}
