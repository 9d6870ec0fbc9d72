import type { ImageQuery, ImageRow, Page, Rank } from "../../protocol/images.ts";
import type { ScorerInfo } from "../../protocol/project.ts";
import type { Band, KnownScore } from "../../protocol/server.ts";
import { bandCuts, bands } from "../../words/score.ts";
import { defaultSimilar } from "../config/data.ts";
import type { Project } from "../config/project.ts";
import type { LiveContext } from "../scoring/context.ts";
import { scorerInfo } from "../scoring/currentScorer.ts";
import type { Shelf } from "./columns.ts";
import { readImageRow, shownScore } from "./imageRows.ts";
import { listImages } from "./imageViews.ts";
import { keeper } from "./kept.ts";
import { pageOf } from "./order.ts";
import { countBelow, openRanking, rankOf } from "./ranking.ts";
import { openSources, type Sources } from "./sources.ts";
import { openTwinGroups } from "./twinGroups.ts";

/**
 * What is known of a project's images, read from the index, the labels and the scores as they are at each call. Nothing is
 * computed or written. All but `images` answer at once; all need a context first.
 */
export interface Browser {
  readonly project: Project;
  /** The newest MOS, splits, teacher and scorer. */
  setContext(context: LiveContext): void;
  context(): LiveContext;
  /** One row for each different image. Ascending is worst first by score, MOS and teacher; unknown ones come last. */
  images(query: ImageQuery): Promise<Page<ImageRow>>;
  row(hash: string): ImageRow | undefined;
  /** `path` as in the index. A copy keeps its own path. */
  rowOfPath(path: string): ImageRow | undefined;
  /** Images by quality, worst band first; `range` is on the scorer's scale, its outer ends hold what lies beyond them. */
  bands(): Band[];
  counts(): { scored: number; total: number };
  /** In the order of the paths; null for what is no image or has no score. */
  known(paths: readonly string[]): (KnownScore | null)[];
  scorer(): ScorerInfo;
  /** For the views beside this one. */
  readonly sources: Sources;
  readonly shelf: Shelf;
  close(): void;
}

const worstFirst = [...bands].reverse();

const scoreOfPath = `
  SELECT s.score FROM dataset.files AS f JOIN scores.scores AS s ON s.scorer = ? AND s.hash = f.hash
  WHERE f.path = ? AND f.error IS NULL`;

/** Opens the project's databases for reading; none of them has to exist yet. */
export function openBrowser(project: Project): Browser {
  const sources = openSources(project);
  const shelf: Shelf = { sources, keep: keeper() };
  const ranking = openRanking(shelf);
  let now: LiveContext | undefined;
  let total = { version: "", count: 0 };
  sources.refresh();
  const twinsOf = openTwinGroups(sources, project.config.split.similar ?? defaultSimilar);
  sources.db.function("split_of", (hash: unknown) => now?.splitOf(String(hash)) ?? null);

  function context(): LiveContext {
    if (!now) throw new Error("The browser has no context yet.");
    return now;
  }

  const sorted = () => ranking.sorted(context().scorer.fingerprint);
  /** Looks for changes once, not for every row. */
  function ranks(): (score: number) => Rank | null {
    const values = sorted();
    return (score) => rankOf(values, score);
  }

  function read(by: "path" | "hash", key: string): ImageRow | undefined {
    sources.refresh();
    return rowBy(by, key, ranks());
  }

  function rowBy(
    by: "path" | "hash",
    key: string,
    rankWithin: ReturnType<typeof ranks>,
  ): ImageRow | undefined {
    const row = readImageRow(sources, context(), by, key, rankWithin);
    const twins = row && twinsOf(row.hash);
    return twins ? { ...row, twins } : row;
  }

  /** What the gallery's first pages would wait for. */
  async function readAhead(next: LiveContext): Promise<void> {
    await ranking.prepare(next.scorer.fingerprint);
    for (const sort of ["score", "teacher"] as const)
      await listImages(shelf, { sort, descending: false, offset: 0, limit: 0 }, next, twinsOf);
  }

  return {
    project,
    sources,
    shelf,
    context,
    setContext(next) {
      const isOther = now?.scorer.fingerprint !== next.scorer.fingerprint;
      now = next;
      sources.refresh();
      // A database that was closed or replaced meanwhile is read with the next question.
      if (isOther) readAhead(next).catch(() => {});
    },
    async images(query) {
      sources.refresh();
      const { images, list } = await listImages(shelf, query, context(), twinsOf);
      // -1 is in no list.
      const around = query.around === undefined ? undefined : (images.rowOf.get(query.around) ?? -1);
      const { rows: found, ...page } = pageOf(list, query, around);
      const rankWithin = ranks();
      const rows = [...found].flatMap((place) => {
        const row = rowBy("path", images.paths[place]!, rankWithin);
        return row ? [row] : [];
      });
      return { rows, ...page };
    },
    row: (hash) => read("hash", hash),
    rowOfPath: (path) => read("path", path),
    bands() {
      sources.refresh();
      const { scorer } = context();
      const values = sorted();
      const ends = [Math.min(1, values[0] ?? 1), ...bandCuts, Math.max(5, values.at(-1) ?? 5)];
      return worstFirst.map((name, i) => {
        const [from, to] = [ends[i]!, ends[i + 1]!];
        const last = i === bandCuts.length;
        const range = [shownScore(scorer, from), shownScore(scorer, to)].sort((a, b) => a - b);
        const count = countBelow(values, to, last) - countBelow(values, from);
        return { name, range: range as [number, number], count };
      });
    },
    counts() {
      sources.refresh();
      const version = sources.version("dataset");
      if (version !== total.version) {
        const row = sources
          .prepare("SELECT count(DISTINCT hash) AS n FROM dataset.files WHERE error IS NULL")
          .get();
        total = { version, count: Number(row?.n) };
      }
      return { scored: sorted().length, total: total.count };
    },
    known(paths) {
      sources.refresh();
      const { scorer } = context();
      const { title, scale } = scorerInfo(scorer);
      const rankWithin = ranks();
      const find = sources.prepare(scoreOfPath);
      return paths.map((path) => {
        const score = find.get(scorer.fingerprint, path)?.score as number | undefined;
        if (score === undefined) return null;
        return {
          score: shownScore(scorer, score),
          rank: rankWithin(score),
          scorer: title,
          scale,
        };
      });
    },
    scorer: () => scorerInfo(context().scorer),
    close: sources.close,
  };
}
