/**
 * Names of files, keys of a config, a teacher's words: text from elsewhere may hold characters that a terminal obeys, or that show
 * it in another order. They are shown by their number instead. All that LEAF prints goes through here; what it means itself (line
 * breaks, and the codes of the progress bar) is added outside.
 */

// Control characters (C0 but the line break, DEL, C1), marks and overrides of the writing direction, other line breaks, half letters.
const obeyed =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udfff](?<![\ud800-\udbff](?=[\udc00-\udfff])|[\ud800-\udbff][\udc00-\udfff])/g;

/** A text of any number of lines. */
export function terminalText(text: string): string {
  return text.replace(obeyed, escaped);
}

/** A name, a cell, a step of work: a line break in it would begin a line that LEAF did not write. */
export function terminalLine(text: string): string {
  return terminalText(text).replaceAll("\n", "\\n");
}

/** JSON says the same with fewer characters that a terminal obeys: it escapes C0 by itself, and the rest here. */
export function terminalJson(value: unknown): string {
  return harmlessJson(JSON.stringify(value, null, 2));
}

/** The same in one line. */
export function terminalJsonLine(value: unknown): string {
  return harmlessJson(JSON.stringify(value));
}

function harmlessJson(json: string): string {
  return json.replace(obeyed, (char) => `\\u${hex(char, 4)}`);
}

function escaped(char: string): string {
  if (char === "\t") return "\\t";
  if (char === "\r") return "\\r";
  return char.charCodeAt(0) < 0x100 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`;
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, "0");
}
