import type { SQLInputValue } from "node:sqlite";
import type { ImageQuery, ImageSort } from "../../protocol/images.ts";
import { mosToStudent } from "../mos/scale.ts";
import type { LiveContext } from "../scoring/context.ts";
import { scorerOf } from "../scoring/scores.ts";
import { labelScore, personScore, pointJoins, scoreJoin } from "./imageRows.ts";
import type { ViewPlan } from "./orderedViews.ts";
import type { SourceName, Sources } from "./sources.ts";
import type { TwinGroup } from "./twinGroups.ts";

/** What a sort is by, on a scale on which more is better, and the sources that tells it. */
function sortKey(
  sort: ImageSort,
  { scorer, teacher }: LiveContext,
  beside: boolean,
): { key: string; sources: SourceName[] } {
  switch (sort) {
    case "path":
      return { key: "0", sources: [] };
    case "similar":
      return { key: "twin_group(f.hash)", sources: [] };
    case "modified":
      return { key: "f.mtimeMs", sources: [] };
    case "score":
      return { key: "s.score", sources: ["scores"] };
    case "mos":
      return { key: "mos_quality(f.hash, :target)", sources: [] };
    case "teacher":
      return { key: labelScore, sources: ["labels", "scores"] };
    case "disagreement": {
      // The teacher is asked about the main target alone.
      if (beside) return { key: "NULL", sources: [] };
      // The embedded teacher cannot disagree with itself.
      const other = scorer.fingerprint === teacher ? personScore : labelScore;
      return { key: `abs(s.score - ${other})`, sources: ["labels", "scores"] };
    }
  }
}

/** A context whose scores are those of a target beside the main one; itself where the scorer has none of this name. */
function contextOf(context: LiveContext, name: string | undefined): LiveContext {
  const { scorer } = context;
  const target = scorer.card?.targets?.slice(1).find((one) => one.name === name);
  if (!scorer.card || !target) return context;
  const { mosScale } = target;
  const fingerprint = scorerOf(scorer.fingerprint, target.name);
  return { ...context, scorer: { ...scorer, fingerprint, card: { ...scorer.card, mosScale } } };
}

/** Defines `mos_quality(hash, target)`, `split_of(hash)` and `twin_group(hash)`, which read the newest context rather than copies of it. */
export function defineContextFunctions(
  sources: Sources,
  context: () => LiveContext | undefined,
  twinsOf: (hash: string) => TwinGroup | undefined,
): void {
  sources.db.function("twin_group", (hash: unknown) => twinsOf(String(hash))?.number ?? null);
  sources.db.function("mos_quality", (hash: unknown, name: unknown) => {
    const now = context();
    const target = now?.targets?.find((one) => one.name === name);
    const mos = (target ?? now)?.mos.get(String(hash));
    if (mos === undefined) return null;
    return (target ?? now?.project.config.mos)?.lowerIsBetter ? -mos : mos;
  });
  sources.db.function("split_of", (hash: unknown) => context()?.splitOf(String(hash)) ?? null);
}

/** The list that a query asks for, without its page. `revision` grows with the context. */
export function planImages(
  sources: Sources,
  query: ImageQuery,
  main: LiveContext,
  revision: number,
): ViewPlan {
  const context = contextOf(main, query.target);
  const { key, sources: sorted } = sortKey(query.sort, context, context !== main);
  const depends = new Set<SourceName>(["dataset", ...sorted]);
  const values: Record<string, SQLInputValue> = {};
  const conditions = [
    "f.error IS NULL",
    "f.hash IS NOT NULL",
    "NOT EXISTS (SELECT 1 FROM dataset.files AS g WHERE g.hash = f.hash AND g.path < f.path)",
  ];
  if (query.text) {
    conditions.push("f.path LIKE :text ESCAPE '\\'");
    values.text = `%${query.text.replace(/[\\%_]/g, "\\$&")}%`;
  }
  if (query.score) {
    // In a function, so that the planner keeps to the slice rather than walk all scores of the range.
    conditions.push("ifnull(s.score BETWEEN :low AND :high, 0)");
    Object.assign(values, innerRange(query.score, context));
    depends.add("scores");
  }
  if (query.far) {
    conditions.push("ifnull(s.distance > 1, 0)"); // As isFar() says.
    depends.add("scores");
  }
  if (query.sort === "similar") conditions.push("twin_group(f.hash) IS NOT NULL");
  if (query.mos)
    conditions.push(`mos_quality(f.hash, :target) IS ${query.mos === "rated" ? "NOT " : ""}NULL`);
  if (query.split) {
    conditions.push("split_of(f.hash) = :split");
    values.split = query.split;
  }
  const labelled = depends.has("labels");
  const scored = depends.has("scores");
  if (labelled) values.teacher = context.teacher;
  if (scored) values.scorer = context.scorer.fingerprint;
  if (query.mos || query.sort === "mos") values.target = query.target ?? null;
  const usesContext = query.mos !== undefined || query.split !== undefined || query.sort === "mos";
  const { sort, text, score, mos, split, far, target } = query;
  return {
    name: `images ${JSON.stringify([sort, text || null, score, mos, split, far, target])}`,
    version: () =>
      [
        usesContext ? revision : "",
        values.teacher,
        values.scorer,
        ...[...depends].map((name) => sources.version(name)),
      ].join(" "),
    // The slice is a table of its own, so that the planner walks it and looks up the rest.
    select: `SELECT ${key} AS key, f.path AS ref
      FROM (SELECT * FROM dataset.files WHERE path > :from AND path <= :to LIMIT -1 OFFSET 0) AS f
      ${scored ? scoreJoin : ""} ${labelled ? pointJoins : ""} WHERE ${conditions.join(" AND ")}`,
    values,
    first: "",
    nextSlice: (from, rows) => nextPath(sources, from, rows),
    descending: query.descending,
    byRef: query.sort === "path",
  };
}

function nextPath(sources: Sources, from: SQLInputValue, rows: number): SQLInputValue {
  const at = (offset: number) =>
    sources
      .prepare("SELECT path FROM dataset.files WHERE path > ? ORDER BY path LIMIT 1 OFFSET ?")
      .get(from, offset)?.path as string | undefined;
  const full = at(rows - 1);
  if (full !== undefined) return full;
  const last = sources.prepare("SELECT max(path) AS path FROM dataset.files WHERE path > ?").get(from)?.path;
  return (last as string | null) ?? null;
}

/** A range on the scale that is shown, as stored: 1..5, where more is better. Ends count. */
function innerRange([from, to]: [number, number], { scorer }: LiveContext): { low: number; high: number } {
  const scale = scorer.card?.mosScale;
  const [a, b] = scale ? [mosToStudent(from, scale), mosToStudent(to, scale)] : [from, to];
  return { low: Math.min(a, b) - 1e-9, high: Math.max(a, b) + 1e-9 };
}
