import { createReadStream } from "node:fs";
import { throwIfCancelled } from "../base/errors.ts";

export type Encoding = "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";

/**
 * The encoding of a text file: by its byte order mark, else UTF-8 where all of it is valid, else Windows-1252, in which
 * spreadsheets of western Europe are saved and which any bytes are. Reads the file once, in pieces.
 */
export async function detectEncoding(file: string, signal?: AbortSignal): Promise<Encoding> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let first = true;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    throwIfCancelled(signal);
    if (first && piece[0] === 0xff && piece[1] === 0xfe) return "utf-16le";
    if (first && piece[0] === 0xfe && piece[1] === 0xff) return "utf-16be";
    first = false;
    if (!isValid(() => utf8.decode(piece, { stream: true }))) return "windows-1252";
  }
  return isValid(() => utf8.decode()) ? "utf-8" : "windows-1252";
}

function isValid(decode: () => string): boolean {
  try {
    decode();
    return true;
  } catch {
    return false;
  }
}

/** Streams a text file's characters without its byte order mark. */
export async function* readText(file: string, encoding: Encoding, signal?: AbortSignal) {
  const decoder = new TextDecoder(encoding);
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    throwIfCancelled(signal);
    const text = decoder.decode(piece, { stream: true });
    if (text !== "") yield text;
  }
  const rest = decoder.decode();
  if (rest !== "") yield rest;
}

/** The beginning of a text file, of about as many bytes. */
export async function readHead(file: string, encoding: Encoding, bytes: number): Promise<string> {
  const decoder = new TextDecoder(encoding);
  let text = "";
  for await (const piece of createReadStream(file, { end: bytes - 1 }) as AsyncIterable<Buffer>)
    text += decoder.decode(piece, { stream: true });
  return text;
}
