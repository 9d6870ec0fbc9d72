import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { quotedCell } from "../tables/cellText.ts";
import { plainCell } from "../tables/formulaCells.ts";
import type { IndexedFile } from "./index/file.ts";
import { withoutImageExtension } from "./index/names.ts";
import type { ImageIndex } from "./index/query.ts";

export type Match = { hash: string } | { problem: "noImage" | "ambiguous" | "unreadable"; message: Text };

/**
 * Finds the image that a CSV file means by a name: the exact relative path; then a path that ends with it; then the file name in
 * any folder; then the name without its extension; then all of that without regard to case. The first step that finds
 * something decides; copies of one image are one image. A name that was neutralised for a spreadsheet means the plain one.
 */
export class ImageMatcher {
  readonly #index: ImageIndex;

  constructor(index: ImageIndex) {
    this.#index = index;
  }

  match(name: string): Match {
    const written = this.#match(name);
    const plain = plainCell(name);
    if (plain === name) return written;
    const meant = this.#match(plain);
    if ("problem" in written) return written.problem === "noImage" ? meant : written;
    if ("problem" in meant || meant.hash === written.hash) return written;
    return {
      problem: "ambiguous",
      message: say`${quotedCell(name)} may be the image of this name or ${quotedCell(plain)}.`,
    };
  }

  #match(name: string): Match {
    const wanted = path.posix.normalize(name.replaceAll("\\", "/"));
    const exact = this.#index.byPath(wanted);
    if (exact) return decide(name, [exact]);
    const named = this.#index.named(wanted);
    let stems: IndexedFile[] | undefined;
    // Most names come with their extension: then this is never asked.
    const stemmed = () => {
      stems ??= this.#index.withStem(wanted);
      return stems;
    };
    const base = path.posix.basename(wanted);
    const stem = withoutImageExtension(base);
    const fold = (text: string) => text.toLowerCase();
    const baseOf = (file: IndexedFile) => path.posix.basename(file.path);
    const stemOf = (file: IndexedFile) => withoutImageExtension(baseOf(file));
    const folder = withoutImageExtension(wanted);
    const steps: (() => IndexedFile[])[] = [
      () => named.filter((file) => `/${file.path}`.endsWith(`/${wanted}`)),
      () => named.filter((file) => baseOf(file) === base),
      () => stemmed().filter((file) => `/${withoutImageExtension(file.path)}`.endsWith(`/${folder}`)),
      () => stemmed().filter((file) => stemOf(file) === stem),
      () => named.filter((file) => fold(`/${file.path}`).endsWith(fold(`/${wanted}`))),
      () => named,
      stemmed,
    ];
    for (const step of steps) {
      const found = step();
      if (found.length > 0) return decide(name, found);
    }
    return { problem: "noImage", message: say`No image is called ${quotedCell(name)}.` };
  }
}

function decide(name: string, found: IndexedFile[]): Match {
  const usable = found.filter((file) => file.error === null && file.hash !== null);
  const [first] = usable;
  if (first === undefined)
    return {
      problem: "unreadable",
      message: say`The image ${quotedCell(name)} cannot be read: ${found[0]!.error ?? ""}.`,
    };
  const other = usable.find((file) => file.hash !== first.hash);
  if (other) {
    return {
      problem: "ambiguous",
      message: say`${quotedCell(name)} may be ${first.path} or ${other.path}${usable.length > 2 ? say` or others` : ""}.`,
    };
  }
  return { hash: first.hash! };
}
