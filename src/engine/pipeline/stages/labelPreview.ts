import type { DryRun, DryRunQuestion, LabelEstimate } from "../../../protocol/preview.ts";
import { inEnglish, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { seededRank } from "../../base/seededRank.ts";
import type { Project } from "../../config/project.ts";
import { membersOf } from "../../config/teacher.ts";
import { openCatalog } from "../../dataset/catalog.ts";
import { openLabels } from "../../labels/labels.ts";
import {
  expectedScore,
  minRatingMass,
  pairConfidence,
  pointConfidence,
  type RatingProbabilities,
} from "../../teachers/judgement.ts";
import type { Inspection, TeacherImage } from "../../teachers/teacher.ts";
import { withPlan } from "../plan/plan.ts";
import type { StageOptions } from "../stage.ts";
import { estimateMissing, openTeacher, refuseEmpty, sumOf, teacherImage } from "./label.ts";

/**
 * Asks the teacher about some images one by one, and about the first two as a pair in both orders, and tells all that stands
 * behind its answers. Stores nothing. Throws LeafError `usage` for a teacher that has no prompt.
 */
export async function dryRunLabels(
  project: Project,
  count: number,
  options: StageOptions = {},
): Promise<DryRun> {
  const catalog = await openCatalog(project, options);
  try {
    refuseEmpty(project, catalog);
    const { train } = await withPlan(project, catalog, async (plan) => (await plan.label()).needs);
    const ranked = train.map((hash) => ({ hash, rank: seededRank(0, "dry run", hash) }));
    ranked.sort((x, y) => (x.rank < y.rank ? -1 : 1));
    const images = ranked.slice(0, count).map(({ hash }) => teacherImage(catalog, hash));
    const members = membersOf(project.config.teacher);
    // Of an ensemble the first that has one.
    const config = members.find(({ kind }) => kind !== "embedded") ?? members[0];
    const teacher = await openTeacher(project, config!, options);
    try {
      const inspect = teacher.inspect?.bind(teacher);
      if (!inspect)
        throw new LeafError("usage", say`The ${teacher.kind} teacher has no prompt to show.`, {
          remedy: say`A dry run is for \`teacher: { kind: openai, … }\`, \`{ kind: transformers, … }\` and \`{ kind: clip, … }\`.`,
        });
      const questions: DryRunQuestion[] = [];
      for (const image of images) questions.push(questionOf([image], await inspect([image], options.signal)));
      const [a, b] = images;
      if (a && b && project.config.label.pairsPerImage > 0) {
        questions.push(questionOf([a, b], await inspect([a, b], options.signal)));
        if (project.config.label.orders === "both")
          questions.push(questionOf([b, a], await inspect([b, a], options.signal)));
      }
      const { kind, fingerprint } = teacher;
      const about = teacher.about ? inEnglish(teacher.about) : null;
      return { teacher: { kind, fingerprint, about }, questions };
    } finally {
      await teacher.close();
    }
  } finally {
    catalog.close();
  }
}

function questionOf(images: TeacherImage[], inspection: Inspection): DryRunQuestion {
  const { parts, rendered, prefill, top, answers, mass } = inspection;
  const spelt = parts
    .map((part) => (part.type === "image" ? `⟨image ${part.image + 1}⟩` : part.text))
    .join("\n");
  const prompt = rendered ?? (prefill === null ? spelt : `${spelt}\n${prefill}`);
  return {
    images: images.map(({ name }) => name),
    prompt,
    top,
    answers,
    mass,
    label: labelOf(images, inspection),
  };
}

/** The answers' probabilities, normalised; a tie is given half to each image. */
function labelOf(images: TeacherImage[], { answers, mass }: Inspection): DryRunQuestion["label"] {
  if (!(mass >= minRatingMass)) return null;
  const total = answers.reduce((sum, { probability }) => sum + probability, 0);
  const shares = answers.map(({ probability }) => probability / total);
  if (images.length === 1) {
    const probabilities = shares as unknown as RatingProbabilities;
    return { value: expectedScore(probabilities), confidence: pointConfidence(probabilities) };
  }
  const p = shares[0]! + (shares[2] ?? 0) / 2;
  return { value: p, confidence: pairConfidence(p) };
}

/** What is left to label, and how many requests and tokens that takes, by one trial request. */
export async function estimateLabels(
  project: Project,
  options: StageOptions & { only?: "points" | "pairs" } = {},
): Promise<LabelEstimate> {
  const catalog = await openCatalog(project, options);
  try {
    refuseEmpty(project, catalog);
    const store = openLabels(project.labelsFile);
    try {
      const each: LabelEstimate[] = [];
      for (const config of membersOf(project.config.teacher)) {
        const teacher = await openTeacher(project, config, options);
        try {
          // What was found out about its server may have made it another.
          each.push(
            await withPlan(project, catalog, async (plan) =>
              estimateMissing(plan, await plan.label(), store, teacher, options),
            ),
          );
        } finally {
          await teacher.close();
        }
      }
      return each.length === 1 ? each[0]! : together(each);
    } finally {
      store.close();
    }
  } finally {
    catalog.close();
  }
}

/** What several teachers lack together, and what that takes. */
function together(each: readonly LabelEstimate[]): LabelEstimate {
  const total = (of: (one: LabelEstimate) => number) => each.reduce((sum, one) => sum + of(one), 0);
  const missing = {
    points: total((one) => one.missing.points),
    pairs: total((one) => one.missing.pairs),
    reasons: total((one) => one.missing.reasons),
  };
  return { images: each[0]!.images, missing, ...sumOf(each) };
}
