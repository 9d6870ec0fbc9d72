/** A line without its end; of one that is too long its first letter, as soon as it is too long. */
export type Line = { text: string } | { tooLong: string | undefined };

/** Makes lines of pieces of text, wherever these are cut, and holds no more than `most` characters of one. */
export function lineSplitter(most: number): { take(piece: string): Line[]; end(): Line[] } {
  let [line, isTooLong] = ["", false];
  function add(piece: string): Line[] {
    if (isTooLong) return [];
    isTooLong = line.length + piece.length > most;
    if (!isTooLong) {
      line += piece;
      return [];
    }
    const [first] = line || piece;
    line = "";
    return [{ tooLong: first }];
  }
  function finish(): Line[] {
    const found = isTooLong ? [] : [{ text: line.replace(/\r$/, "") }];
    [line, isTooLong] = ["", false];
    return found;
  }
  return {
    take(piece) {
      const [first = "", ...others] = piece.split("\n");
      return [...add(first), ...others.flatMap((next) => [...finish(), ...add(next)])];
    },
    /** What follows the last line's end. */
    end: () => (line === "" ? [] : finish()),
  };
}
