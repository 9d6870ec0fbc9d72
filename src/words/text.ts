import type { Text, TextValue } from "../protocol/text.ts";
import { countIn } from "./figure.ts";
import { english, type Translate } from "./translate.ts";

/** say`${file} has no column ${name}.` The template is what translators see; part sentences are Texts of their own. */
export function say(parts: TemplateStringsArray, ...values: TextValue[]): Text {
  const template = parts.reduce((before, part, i) => `${before}{${i - 1}}${part}`);
  return sentence(template, values);
}

/** Not an enumerable property: neither JSON nor a comparison sees it. */
function sentence(template: string, values: TextValue[]): Text {
  return Object.defineProperty({ template, values }, Symbol.toPrimitive, { value: unworded });
}

const { process } = globalThis as { process?: { env: Record<string, string | undefined> } };

/** A sentence that gets into a string without being worded is a mistake: tests fail by it, people read English. */
function unworded(this: Text): string {
  if (process?.env.VITEST) throw new TypeError(`A sentence stands in a string unworded: ${this.template}`);
  return inEnglish(this);
}

/** A whole number in a sentence that is data. */
export function counted(value: number): TextValue {
  return { count: value };
}

/** Marks a sentence without values for translators, where only a string may stand: it is its own template. */
export function marked(sentence: string): string {
  return sentence;
}

/** A marked sentence as data. */
export function asTemplate(words: string): Text {
  return sentence(words, []);
}

/** What somebody else said, or a name: it is shown as it stands in every language. */
export function quoted(words: string): Text {
  return sentence("{0}", [words]);
}

export function isQuoted({ template }: Text): boolean {
  return template === "{0}";
}

/** The sentence in a language; a plain string is shown as it stands. */
export function render(text: Text | string, t: Translate): string {
  if (typeof text === "string") return text;
  return t(
    text.template,
    ...text.values.map((value) =>
      typeof value !== "object" ? value : "count" in value ? countIn(t, value.count) : render(value, t),
    ),
  );
}

/** The sentence for logs, files and terminals. */
export function inEnglish(text: Text | string): string {
  return render(text, english);
}
