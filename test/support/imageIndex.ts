import { hashBytes } from "../../src/engine/base/files.ts";
import type { ImageIndex, IndexedImage } from "../../src/engine/dataset/dataset.ts";
import { foldedNames } from "../../src/engine/dataset/index/names.ts";

export interface TestIndex {
  index: ImageIndex;
  hashOf(file: string): string;
}

/** An index in memory for tests that need names, not pictures. `copies` gives a path the content of another. */
export function makeIndex(paths: string[], copies: Record<string, string> = {}): TestIndex {
  const hashOf = (file: string) => hashBytes(Buffer.from(copies[file] ?? file));
  const files = [...paths].sort().map(
    (path): IndexedImage => ({
      path,
      size: 1,
      mtimeMs: 0,
      hash: hashOf(path),
      format: "png",
      width: 1,
      height: 1,
      error: null,
      note: null,
    }),
  );
  const byPath = new Map(files.map((file) => [file.path, file]));
  const firsts = [...new Map([...files].reverse().map((file) => [file.hash, file])).values()].reverse();
  const byHash = new Map(firsts.map((file) => [file.hash, file]));
  const unused = () => {
    throw new Error("not part of this test index");
  };
  const index: ImageIndex = {
    iterate: () => firsts.values(),
    names: () => firsts.values().map(({ hash, path }): [string, string] => [hash, path]),
    count: () => firsts.length,
    byHash: (hash) => byHash.get(hash),
    byPath: (path) => byPath.get(path),
    named: (name) => files.filter((file) => foldedNames(file.path).name === foldedNames(name).name),
    withStem: (name) => files.filter((file) => foldedNames(file.path).stem === foldedNames(name).stem),
    failed: unused,
    notes: unused,
    places: unused,
    duplicates: unused,
    close: () => {},
  };
  return { index, hashOf };
}
