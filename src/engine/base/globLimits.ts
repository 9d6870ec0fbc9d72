import { count as countText } from "../../words/figure.ts";
import { endlessMatch } from "./endlessGlobs.ts";

/** Patterns that a list of globs may stand for once its braces are written out. */
export const mostPatterns = 2000;
/** Files, folders and globs that a list may name. */
const mostEntries = 100_000;
const longest = 4096;
const deepest = 20;

/** What is wrong with a list of globs: the message, and the place of the glob in the list where it is one's fault. */
export interface GlobProblem {
  message: string;
  at?: number;
}

/**
 * Refuses globs whose braces would fill the memory, such as `{1..1000}{1..1000}{1..1000}`, without writing them out, and those whose
 * match might not end.
 */
export function globProblem(globs: string | readonly string[]): GlobProblem | undefined {
  const list = typeof globs === "string" ? [globs] : globs;
  if (list.length > mostEntries)
    return { message: `a list of ${list.length} is too long: ${mostEntries} entries are the most` };
  let total = 0;
  for (const [at, glob] of list.entries()) {
    if (glob.length > longest)
      return { message: `a glob of ${glob.length} characters is too long: ${longest} are the most`, at };
    if (/[\0]/.test(glob)) return { message: "a path holds no NUL character", at };
    const count = countPatterns(glob);
    if (Number.isNaN(count)) return { message: `braces are nested too deep: ${deepest} are the most`, at };
    if (count > mostPatterns)
      return { message: `the braces stand for ${shown(count)} patterns: ${mostPatterns} are the most`, at };
    if (glob === "!") return { message: "`!` needs the name of what it leaves out", at };
    const endless = endlessMatch(glob);
    if (endless) return { message: endless, at };
    if (/[*?[\]{}()]/.test(glob)) total += count;
    if (total > mostPatterns)
      return { message: `all globs together stand for more than ${mostPatterns} patterns`, at };
  }
  return undefined;
}

/** At most so many patterns come of a glob's braces; NaN where they are nested too deep to tell. */
export function countPatterns(glob: string): number {
  // Of each open brace: the product of the segment so far, and the sum of those before.
  const open: { product: number; sum: number; from: number }[] = [];
  let product = 1;
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i];
    if (char === "\\") i++;
    else if (char === "{") {
      if (open.length === deepest) return Number.NaN;
      open.push({ product, sum: 0, from: i + 1 });
      product = 1;
    } else if (char === "," && open.length > 0) {
      open.at(-1)!.sum += product;
      product = 1;
    } else if (char === "}" && open.length > 0) {
      const { product: before, sum, from } = open.pop()!;
      product = before * Math.max(sum + product, rangeSize(glob.slice(from, i)));
    }
  }
  // A brace that is never closed is a character like any other; what stands in it counts all the same.
  for (const { product: before, sum } of open) product *= before * Math.max(1, sum);
  return product;
}

/** `1..9`, `a..e`, `00..99..3`. */
function rangeSize(inside: string): number {
  const [from, to, step] = inside.split("..");
  if (from === undefined || to === undefined) return 1;
  const number = (text: string) => (/^[+-]?\d+$/.test(text) ? Number(text) : (text.codePointAt(0) ?? 0));
  return Math.floor(Math.abs(number(to) - number(from)) / Math.max(1, Math.abs(Number(step)) || 1)) + 1;
}

function shown(count: number): string {
  return count < 1e9 ? countText(count) : "over a thousand million";
}
