import type { ImageQuery } from "../../protocol/images.ts";
import { mosToStudent } from "../mos/scale.ts";
import type { LiveContext } from "../scoring/context.ts";
import { scorerOf } from "../scoring/scores.ts";
import { isFar } from "../student/outOfDistribution.ts";
import { columnOf, type Images, readImages, readPoints, readScores, type Shelf } from "./columns.ts";
import { ordered, type Wanted } from "./order.ts";
import type { TwinGroup } from "./twinGroups.ts";

/** A context whose scores are those of a target beside the main one; itself where the scorer has none of this name. */
function contextOf(context: LiveContext, name: string | undefined): LiveContext {
  const { scorer } = context;
  const target = scorer.card?.targets?.slice(1).find((one) => one.name === name);
  if (!scorer.card || !target) return context;
  const { mosScale } = target;
  const fingerprint = scorerOf(scorer.fingerprint, target.name);
  return { ...context, scorer: { ...scorer, fingerprint, card: { ...scorer.card, mosScale } } };
}

/** The images that a query asks for, in its order, as rows of `images`. */
export async function listImages(
  shelf: Shelf,
  query: ImageQuery,
  main: LiveContext,
  twinsOf: (hash: string) => TwinGroup | undefined,
): Promise<{ images: Images; list: Int32Array }> {
  const context = contextOf(main, query.target);
  const { scorer, teacher, splitOf } = context;
  const { sort, text, score, mos, split, far, target, descending } = query;
  const judged = sort === "teacher" || sort === "disagreement";
  const images = await readImages(shelf);
  const scores =
    score || far || sort === "score" || sort === "disagreement"
      ? await readScores(shelf, images, scorer.fingerprint)
      : undefined;
  const labels = judged ? await readPoints(shelf, images, teacher) : undefined;
  const said = judged ? await readScores(shelf, images, teacher) : undefined;
  const { lowerIsBetter, ...human } = mosOf(context, target);
  const rated = mos || sort === "mos" ? await columnOf(shelf, `mos ${target}`, images, human.mos) : undefined;

  function wanted(): Wanted {
    const conditions: Wanted["conditions"] = [];
    if (text) {
      const part = text.toLowerCase();
      conditions.push((row) => images.paths[row]!.toLowerCase().includes(part));
    }
    if (score) {
      const { low, high } = innerRange(score, context);
      conditions.push((row) => scores!.score[row]! >= low && scores!.score[row]! <= high);
    }
    if (far) conditions.push((row) => isFar(scores!.distance[row]) === true);
    if (sort === "similar") conditions.push((row) => twinsOf(images.hashes[row]!) !== undefined);
    if (mos) conditions.push((row) => Number.isNaN(rated![row]!) === (mos === "unrated"));
    if (split) conditions.push((row) => splitOf(images.hashes[row]!) === split);
    return { conditions, key: key(), descending };
  }

  function key(): Wanted["key"] {
    const label = (row: number) => {
      const stands = labels!.score[row]!;
      return Number.isNaN(stands) ? said!.asTeacher[row]! : stands;
    };
    switch (sort) {
      case "path":
        return undefined;
      case "similar":
        return (row) => twinsOf(images.hashes[row]!)?.number ?? Number.NaN;
      case "modified":
        return (row) => images.modified[row]!;
      case "score":
        return (row) => scores!.score[row]!;
      case "mos": {
        const sign = lowerIsBetter ? -1 : 1;
        return (row) => sign * rated![row]!;
      }
      case "teacher":
        return label;
      case "disagreement": {
        // The teacher is asked about the main target alone.
        if (context !== main) return () => Number.NaN;
        // The embedded teacher cannot disagree with itself.
        const other = scorer.fingerprint === teacher ? (row: number) => labels!.person[row]! : label;
        return (row) => Math.abs(scores!.score[row]! - other(row));
      }
    }
  }

  const { low, high } = score ? innerRange(score, context) : {};
  const name = `list of images ${JSON.stringify([sort, descending, text || null, low, high, mos, split, far, target])}`;
  const inputs = [images, scores, labels, said, rated, lowerIsBetter, split && splitOf];
  const list = await shelf.keep(name, { inputs }, () => ordered(images.length, wanted()));
  return { images, list };
}

/** What people said of a target; of the main one where the config has none of this name. */
function mosOf(
  { mos, targets, project }: LiveContext,
  name: string | undefined,
): { mos: ReadonlyMap<string, number>; lowerIsBetter: boolean } {
  const target = targets?.find((one) => one.name === name);
  return target ?? { mos, lowerIsBetter: project.config.mos?.lowerIsBetter ?? false };
}

/** A range on the scale that is shown, as stored: 1..5, where more is better. Ends count. */
function innerRange([from, to]: [number, number], { scorer }: LiveContext): { low: number; high: number } {
  const scale = scorer.card?.mosScale;
  const [a, b] = scale ? [mosToStudent(from, scale), mosToStudent(to, scale)] : [from, to];
  return { low: Math.min(a, b) - 1e-9, high: Math.max(a, b) + 1e-9 };
}
