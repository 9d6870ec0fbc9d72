export type TextEncoding = "utf8" | "utf16le" | "utf16be";

/** A file's text with its byte order mark; undefined where it would not come out again byte for byte, as Windows-1252. */
export function decodeText(bytes: Buffer): { text: string; encoding: TextEncoding } | undefined {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? "utf16le" : first === 0xfe && second === 0xff ? "utf16be" : "utf8";
  if (encoding !== "utf8" && bytes.length % 2 !== 0) return undefined;
  const text =
    encoding === "utf16be" ? Buffer.from(bytes).swap16().toString("utf16le") : bytes.toString(encoding);
  return encodeText(text, encoding).equals(bytes) ? { text, encoding } : undefined;
}

export function encodeText(text: string, encoding: TextEncoding): Buffer {
  return encoding === "utf16be" ? Buffer.from(text, "utf16le").swap16() : Buffer.from(text, encoding);
}
