/** Wildcards of any length in one name, and `**` in one glob: each multiplies the ways in which a name may match. */
const mostWildcards = 4;
const mostGlobstars = 5;

/**
 * Why matching a glob might not end, or undefined. Picomatch makes a regular expression of it, which goes back over a name. So in a
 * group that repeats there must be one way to read a text: different words, of which none begins another. Wildcards must be few.
 */
export function endlessMatch(glob: string): string | undefined {
  // Picomatch itself does not come to an end on these.
  if (/\\{4}/.test(glob)) return "four backslashes in a row name nothing";
  const groups: { from: number; kind: string; isWild: boolean }[] = [];
  let [wildcards, globstars, braces, afterEscaped] = [0, 0, 0, 0];
  const ambiguous = (end: number) => {
    const { from, kind, isWild } = groups.pop()!;
    // Inside braces that are no list, picomatch leaves a star behind a group as it is.
    const isRepeated = glob[end + 1] === "+" || (braces > 0 && glob[end + 1] === "*");
    if (isRepeated && /[*+?!]/.test(kind)) return true;
    return (isRepeated || /[*+]/.test(kind)) && (isWild || isAmbiguous(glob.slice(from, end).split("|")));
  };
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i]!;
    const before = i === afterEscaped ? "" : (glob[i - 1] ?? "");
    if (char === "\\") afterEscaped = ++i + 1;
    else if (char === "/") wildcards = 0;
    else if (char === "{") braces++;
    else if (char === ")" && groups.length > 0) {
      if (ambiguous(i)) return ambiguousGroup;
    } else if (char === "}") {
      braces = Math.max(0, braces - 1);
      if (glob[i + 1] === "+") return ambiguousGroup;
    } else if (/[*+?!([]/.test(char)) {
      for (const group of groups) group.isWild = true;
      if (char === "(") groups.push({ from: i + 1, kind: before, isWild: false });
      if (char === "[") {
        const end = glob.indexOf("]", i + 2);
        if (end > 0) i = end;
      }
      const length = char === "*" ? /^\**/.exec(glob.slice(i))![0].length : 1;
      // `+` and `!` by themselves are letters of a name, but for `+` behind or inside a group.
      const repeats = char === "+" && (groups.length > 0 || /[)\]}]/.test(before));
      if (char === "*" || repeats || (/[+!]/.test(char) && glob[i + 1] === "(")) wildcards++;
      if (length > 1) globstars++;
      i += length - 1;
    }
    if (wildcards > mostWildcards)
      return `a name with over ${mostWildcards} wildcards takes too long to match`;
    if (globstars > mostGlobstars) return `a glob with over ${mostGlobstars} \`**\` takes too long to match`;
  }
  while (groups.length > 0) if (ambiguous(glob.length)) return ambiguousGroup;
  return undefined;
}

const ambiguousGroup =
  "a group that repeats may hold plain words only, none the beginning of another, as in `+(jpg|png)`";

function isAmbiguous(words: readonly string[]): boolean {
  const lower = words.map((word) => word.toLowerCase());
  return lower.some((word, i) => lower.some((other, j) => i !== j && word.startsWith(other)));
}
