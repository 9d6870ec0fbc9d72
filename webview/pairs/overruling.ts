import type { PairRow } from "../../src/protocol/images.ts";
import type { Host } from "../host.ts";
import type { Pages } from "../pictures/pages.ts";

/** A person's words on pairs: shown at once, told to the server one after the other, and taken back from the newest on. */
export interface Overruling {
  /** There is a word that can be taken back. */
  readonly any: boolean;
  say(index: number, p: number): void;
  /** Takes back the word on this pair, or else the newest. Returns the index of that pair. */
  takeBack(index: number): number | undefined;
}

interface Options {
  host: Host;
  config: string;
  /** Those shown now: a filter makes new ones. */
  pages(): Pages<PairRow>;
  onChange(): void;
  /** The old word stands again. */
  onRefused(error: unknown, index: number): void;
}

export function createOverruling({ host, config, pages, onChange, onRefused }: Options): Overruling {
  let words: { a: string; b: string; index: number; before: number | null }[] = [];
  let telling: Promise<unknown> = Promise.resolve();

  const isPair = (a: string, b: string) => (row: PairRow) => row.a.hash === a && row.b.hash === b;

  function put(row: PairRow): void {
    const shown = pages();
    const at = shown.find(isPair(row.a.hash, row.b.hash));
    if (at >= 0) shown.put(at, row);
    onChange();
  }

  function tell(index: number, pair: PairRow, p: number | null): void {
    put({ ...pair, human: p });
    const [a, b] = [pair.a.hash, pair.b.hash];
    telling = telling
      .then(() => host.request("leaf/overrulePair", { config, a, b, p }))
      .then((row) => row && put(row))
      .catch((error) => {
        words = words.filter((word) => word.a !== a || word.b !== b);
        put(pair);
        onRefused(error, index);
      });
  }

  return {
    get any() {
      return words.length > 0;
    },
    say(index, p) {
      const pair = pages().at(index);
      if (!pair) return;
      words.push({ a: pair.a.hash, b: pair.b.hash, index, before: pair.human });
      tell(index, pair, p);
    },
    takeBack(index) {
      const shown = pages().at(index);
      if (shown && shown.human !== null) {
        words = words.filter(({ a, b }) => a !== shown.a.hash || b !== shown.b.hash);
        tell(index, shown, null);
        return index;
      }
      const last = words.pop();
      if (!last) return undefined;
      const found = pages().find(isPair(last.a, last.b));
      const at = found >= 0 ? found : last.index;
      const pair = pages().at(at);
      if (pair) tell(at, pair, last.before);
      return at;
    },
  };
}
