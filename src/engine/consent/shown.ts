/** A command line as it may be shown: nothing in it can hide, move or break a line. */
export function shownCommand(parts: readonly string[]): string {
  return parts.map(shownPart).join(" ");
}

export function shownPart(part: string): string {
  const plain = /^[\w@%+=:,./{}\\~-]+$/.test(part);
  return plain ? part : visible(JSON.stringify(part));
}

/** Control, format and private characters as escapes. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
}
