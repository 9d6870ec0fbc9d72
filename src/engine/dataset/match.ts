import path from "node:path";
import { distance } from "fastest-levenshtein";
import { LRUCache } from "lru-cache";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { quotedCell } from "../tables/cellText.ts";
import { plainCell } from "../tables/formulaCells.ts";
import type { IndexedFile } from "./index/file.ts";
import { withoutImageExtension } from "./index/names.ts";
import type { ImageIndex } from "./index/query.ts";
import { type NameReading, readingsOf, unicodeForms, uploadedName } from "./nameReadings.ts";

export type Match = { hash: string } | { problem: "noImage" | "ambiguous" | "unreadable"; message: Text };

/** What of an index says which names there are. */
export type NameIndex = Pick<ImageIndex, "byPath" | "named" | "withStem" | "iterate">;

/** Looking for a near name costs a look at all of them. */
const mostNearest = 10;
const mostNames = 50_000;
const mostKnown = 20_000;

/**
 * Finds the image that a table means by a name: the exact relative path; then the path that ends most like it, at least in the
 * file name; then the same without the extension; then all of that without regard to case. The first step that finds
 * something decides; copies of one image are one image, and so are the two Unicode forms of one name, where only one is there. What
 * finds nothing as it is written is read in the ways of `readingsOf`. A name that was neutralised for a spreadsheet means the
 * plain one.
 */
export class ImageMatcher {
  readonly #index: NameIndex;
  /** A table of single ratings says each name many times. */
  readonly #known = new LRUCache<string, Match>({ max: mostKnown });
  #uploads: Map<string, string[]> | undefined;
  #names: string[] | undefined;
  #nearestLeft = mostNearest;

  constructor(index: NameIndex) {
    this.#index = index;
  }

  match(name: string): Match {
    const known = this.#known.get(name);
    if (known) return known;
    const match = this.#decide(name);
    this.#known.set(name, match);
    return match;
  }

  #decide(name: string): Match {
    const written = this.#match(name);
    const plain = plainCell(name);
    if (plain === name) return written ?? this.#none(name);
    const meant = this.#match(plain);
    if (!written || !meant) return written ?? meant ?? this.#none(name);
    if ("problem" in written || "problem" in meant) return "problem" in written ? written : meant;
    if (meant.hash === written.hash) return written;
    return {
      problem: "ambiguous",
      message: say`${quotedCell(name)} may be the image of this name or ${quotedCell(plain)}.`,
    };
  }

  #match(name: string): Match | undefined {
    for (const list of readingsOf(name)) {
      const found = list.flatMap((reading) => this.#find(reading));
      if (found.length > 0) return decide(name, found);
    }
    return undefined;
  }

  #find({ name: wanted, upload }: NameReading): IndexedFile[] {
    const index = this.#index;
    if (upload) {
      const named = unicodeForms(wanted).flatMap((form) => index.named(form));
      const changed = (this.#uploadedNames().get(wanted) ?? []).flatMap((one) => index.byPath(one) ?? []);
      const all = [...new Map([...named, ...changed].map((file) => [file.path, file])).values()];
      return all.length > 0 ? all : this.#find({ name: wanted });
    }
    for (const form of unicodeForms(wanted)) {
      const exact = index.byPath(form);
      if (exact) return [exact];
    }
    const forms = unicodeForms(wanted);
    const named = unique(forms.flatMap((form) => index.named(form)));
    // The first step below, for nearly all names.
    if (named.length === 1 && path.posix.basename(named[0]!.path) === path.posix.basename(wanted))
      return named;
    let stems: IndexedFile[] | undefined;
    // Most names come with their extension: then this is never asked.
    const stemmed = () => {
      stems ??= unique(forms.flatMap((form) => index.withStem(form)));
      return stems;
    };
    const fold = (text: string) => composed(text).toLowerCase();
    const stemOf = (text: string) => withoutImageExtension(composed(text));
    const steps: (() => IndexedFile[])[] = [
      () => nearestTail(named, wanted, (text) => text),
      () => nearestTail(named, wanted, composed),
      () => nearestTail(stemmed(), wanted, stemOf),
      () => nearestTail(named, wanted, fold),
      () => nearestTail(stemmed(), wanted, (text) => fold(stemOf(text))),
    ];
    for (const step of steps) {
      const found = step();
      if (found.length > 0) return found;
    }
    return [];
  }

  /** The paths of files whose names Label Studio would change, by the name that it makes of them. */
  #uploadedNames(): Map<string, string[]> {
    if (this.#uploads) return this.#uploads;
    const uploads = new Map<string, string[]>();
    for (const { path: file } of this.#index.iterate()) {
      const base = path.posix.basename(file);
      for (const stored of new Set(unicodeForms(base).map(uploadedName)))
        if (stored !== base) uploads.set(stored, [...(uploads.get(stored) ?? []), file]);
    }
    this.#uploads = uploads;
    return uploads;
  }

  #none(name: string): Match {
    const near = this.#nearestLeft-- > 0 ? this.#nearest(name) : undefined;
    return {
      problem: "noImage",
      message: near
        ? say`No image is called ${quotedCell(name)}; the nearest name is ${quotedCell(near)}.`
        : say`No image is called ${quotedCell(name)}.`,
    };
  }

  /** The file name that differs least, if that is no more than a fourth of its characters. */
  #nearest(name: string): string | undefined {
    if (!this.#names) {
      this.#names = [];
      for (const { path: file } of this.#index.iterate()) {
        if (this.#names.length === mostNames) break;
        this.#names.push(path.posix.basename(file));
      }
    }
    const stemOf = (one: string) => composed(withoutImageExtension(one)).toLowerCase();
    const wanted = stemOf(path.posix.basename(readingsOf(name).at(-1)![0]!.name));
    let [best, least] = [undefined as string | undefined, Math.floor(wanted.length / 4) + 1];
    for (const one of this.#names) {
      const stem = stemOf(one);
      if (Math.abs(stem.length - wanted.length) >= least) continue;
      const differs = distance(wanted, stem);
      if (differs < least) [best, least] = [one, differs];
    }
    return best;
  }
}

/** Of files whose paths end like the wanted one those that do so for most of its parts; `form`: what counts of a text. */
function nearestTail(
  files: readonly IndexedFile[],
  wanted: string,
  form: (text: string) => string,
): IndexedFile[] {
  const parts = form(wanted).split("/").reverse();
  const tails = files.map((file) => {
    const own = form(file.path).split("/").reverse();
    const differs = parts.findIndex((part, i) => part !== own[i]);
    return differs < 0 ? parts.length : differs;
  });
  const most = Math.max(0, ...tails);
  return most === 0 ? [] : files.filter((_, i) => tails[i] === most);
}

function composed(text: string): string {
  return text.normalize("NFC");
}

function unique(files: IndexedFile[]): IndexedFile[] {
  if (files.length < 2) return files;
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

function decide(name: string, found: IndexedFile[]): Match {
  const readable = found.filter((file) => file.error === null && file.hash !== null);
  // Many cameras keep a photo as raw and as JPEG.
  const developed = readable.filter(({ format }) => format !== "raw");
  const usable = developed.length > 0 ? developed : readable;
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
