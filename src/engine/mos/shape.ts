import { fiveGrades } from "./cell.ts";

/** How a table of human opinions holds them. */
export type MosShape =
  /** A score a row. Without a rater, an image on several rows may have ratings of people who are not named. */
  | { kind: "scores"; score: string }
  /** A rating a row; `told`: the config says so, else it is so where an image has several rows. */
  | { kind: "rows"; score: string; rater: string; told: boolean }
  /** An image a row, with a column for each rater. */
  | { kind: "columns"; raters: string[] }
  /** An image a row, with a column for each grade that counts how many gave it, the lowest first. */
  | { kind: "votes"; votes: string[] };

/** What of `mos:` says it. */
export interface ShapeKeys {
  score: string;
  rater?: string;
  /** Names, in which `*` stands for anything. */
  raters?: string | readonly string[];
  votes?: string | readonly string[];
}

/** What `mos.score` is where nothing says otherwise. */
export const defaultScore = "mos";

const raterNames = new Set(
  "rater raterid observer observerid annotator annotatorid worker workerid user userid username participant participantid subjectid assessor assessorid judge voter labeler labeller completedby evaluator viewer expert person bewerter beobachter teilnehmer proband".split(
    " ",
  ),
);
const raterPrefixes = new Set(
  "user rater observer obs subject subj sub participant annotator worker judge viewer evaluator expert person voter assessor labeler labeller tester u o".split(
    " ",
  ),
);
const votePrefixes = new Set(
  "c v vote votes count counts grade star stars ratingcount votesfor numvotes nvotes n".split(" "),
);
/** May be either: the values tell. */
const openPrefixes = new Set(["", "score", "rating", "r", "s", "p", "q"]);

/** How a file with these columns is read. What the config names is taken at its word. */
export function shapeOf(columns: readonly string[], keys: ShapeKeys): MosShape {
  const { score, rater, raters, votes } = keys;
  if (votes !== undefined) return { kind: "votes", votes: expandColumns(columns, votes) };
  if (raters !== undefined) return { kind: "columns", raters: expandColumns(columns, raters) };
  if (rater !== undefined) return { kind: "rows", score, rater, told: true };
  if (score === defaultScore && !columns.includes(score)) {
    const series = numberedColumns(columns);
    const known = series.find(({ of }) => of !== "open");
    if (known?.of === "votes") return { kind: "votes", votes: known.columns };
    if (known?.of === "raters") return { kind: "columns", raters: known.columns };
  }
  const guessed = raterColumn(columns, [score]);
  return guessed === undefined
    ? { kind: "scores", score }
    : { kind: "rows", score, rater: guessed, told: false };
}

/** The columns of a shape that hold opinions. */
export function opinionColumns(shape: MosShape): string[] {
  switch (shape.kind) {
    case "scores":
      return [shape.score];
    case "rows":
      return [shape.score, shape.rater];
    case "columns":
      return shape.raters;
    case "votes":
      return shape.votes;
  }
}

/** The column whose name says that it tells who rated. */
export function raterColumn(columns: readonly string[], but: readonly string[] = []): string | undefined {
  return columns.find((name) => !but.includes(name) && raterNames.has(bare(name)));
}

/** Columns of one name with the numbers 1, 2, 3 … (or 0, 1, 2 …) behind it, and the five grades of BT.500 by their words. */
export function numberedColumns(
  columns: readonly string[],
): { columns: string[]; of: "raters" | "votes" | "open"; first: number }[] {
  const series = new Map<string, { name: string; number: number }[]>();
  for (const name of columns) {
    const [, prefix, digits] = /^(.*?)(\d{1,4})$/.exec(name) ?? [];
    if (prefix === undefined) continue;
    const list = series.get(bare(prefix)) ?? [];
    series.set(bare(prefix), [...list, { name, number: Number(digits) }]);
  }
  const found: ReturnType<typeof numberedColumns> = [...series].flatMap(([prefix, list]) => {
    const sorted = list.sort((a, b) => a.number - b.number);
    const first = sorted[0]!.number;
    const of = raterPrefixes.has(prefix)
      ? "raters"
      : votePrefixes.has(prefix)
        ? "votes"
        : openPrefixes.has(prefix)
          ? "open"
          : undefined;
    const inTurn = first <= 1 && sorted.every(({ number }, i) => number === first + i);
    const least = of === "raters" ? 2 : 3;
    if (of === undefined || sorted.length < least || (of !== "raters" && !inTurn)) return [];
    return [{ columns: sorted.map(({ name }) => name), of, first } as const];
  });
  const words = fiveGrades.map((word) => columns.find((name) => bare(name) === word));
  if (words.every((name) => name !== undefined)) found.push({ columns: words, of: "votes", first: 1 });
  return found;
}

/** Names of columns; a `*` stands for anything, and what it finds is in order of its numbers. */
export function expandColumns(columns: readonly string[], written: string | readonly string[]): string[] {
  const names = typeof written === "string" ? [written] : written;
  const found = names.flatMap((name) => {
    if (!name.includes("*") || columns.includes(name)) return [name];
    const parts = name.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const pattern = new RegExp(`^${parts.join(".*?")}$`, "s");
    const matching = columns.filter((column) => pattern.test(column)).sort(inOrder.compare);
    // One that finds nothing is told as a column that is missing.
    return matching.length > 0 ? matching : [name];
  });
  return [...new Set(found)];
}

const inOrder = new Intl.Collator("en", { numeric: true });

function bare(name: string): string {
  return name.toLowerCase().replace(/[\s_.-]/g, "");
}
