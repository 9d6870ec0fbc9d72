import { marked } from "../../words/text.ts";
import type { ImageFormat } from "./format.ts";
import { jpegEnd } from "./jpeg.ts";

/** What a file is told to be that lacks no more than its end marker, or that may be cut: only decoding can tell. */
export const noEndMarker = marked("it has no end marker; it is used if its data is whole");

/** The same once it was decoded. */
export const wholeWithoutEnd = marked("it has no end marker, but its data is whole");

/** As many last bytes as `endsWell` looks at. */
export const tailBytes = 64;

/** Whether the last bytes hold the end marker of a JPEG or PNG. Other formats tell their length in front. */
export function endsWell(tail: Buffer, format: ImageFormat): boolean {
  if (format === "jpeg") return tail.includes(Buffer.from([0xff, 0xd9]));
  return format !== "png" || tail.includes("IEND");
}

/** The same by the whole file: data may follow the end, and the last bytes show nothing of it. */
export function hasEnd(bytes: Buffer, format: ImageFormat): boolean {
  if (endsWell(bytes.subarray(-tailBytes), format)) return true;
  return format === "jpeg" ? jpegEnd(bytes) !== undefined : pngHasEnd(bytes);
}

function pngHasEnd(bytes: Buffer): boolean {
  for (let at = 8; at + 8 <= bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString("latin1", at + 4, at + 8) === "IEND") return true;
  return false;
}
