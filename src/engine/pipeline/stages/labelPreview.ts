import type { DryRun, DryRunQuestion, LabelEstimate, PromptComparison } from "../../../protocol/preview.ts";
import { inEnglish, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { seededOrder } from "../../base/seededRank.ts";
import type { Project } from "../../config/project.ts";
import { parseYaml, readConfigText } from "../../config/read.ts";
import { membersOf, type OneTeacherConfig, teacherSchema } from "../../config/teacher.ts";
import { openCatalog } from "../../dataset/catalog.ts";
import { openLabels } from "../../labels/labels.ts";
import { srcc } from "../../metrics/agreement.ts";
import {
  expectedScore,
  minRatingMass,
  pairConfidence,
  pointConfidence,
  type RatingProbabilities,
} from "../../teachers/judgement.ts";
import type { Inspection, TeacherImage } from "../../teachers/teacher.ts";
import { askedTargets, asTarget } from "../plan/asked.ts";
import { withPlan } from "../plan/plan.ts";
import type { StageOptions } from "../stage.ts";
import { estimateMissing } from "./label/estimate.ts";
import { sumOf } from "./label/spent.ts";
import { openTeacher, refuseEmpty, teacherImage } from "./label/teacher.ts";

/**
 * Asks the teacher about some images one by one, and about the first two as a pair in both orders, and tells all that stands
 * behind its answers. With `prompts`, a YAML file of what `teacher.prompts` may hold, the same is asked in these words too, as are
 * pairs of all images, and both are compared. `member` is the number of one teacher of an ensemble,
 * `target` the name of the one whose question is asked. Stores nothing. Throws LeafErrors `usage` for a teacher that has no prompt, `config`
 * for a file that holds none.
 */
export async function dryRunLabels(
  project: Project,
  count: number,
  {
    prompts,
    member,
    target,
    ...options
  }: StageOptions & { prompts?: string; member?: number; target?: string } = {},
): Promise<DryRun> {
  const config = memberToAsk(asTarget(project, target), member);
  const others = prompts === undefined ? undefined : await withPrompts(config, prompts);
  const catalog = await openCatalog(project, options);
  try {
    refuseEmpty(project, catalog);
    const { train } = await withPlan(project, catalog, async (plan) => (await plan.label()).needs);
    const images = seededOrder(0, "dry run", train)
      .slice(0, count)
      .map((hash) => teacherImage(catalog, hash));
    const pairs = others ? Math.floor(images.length / 2) : 1;
    const run = await askAbout(project, config, images, pairs, options);
    if (!others) return run;
    const other = await askAbout(project, others, images, pairs, options);
    return { ...run, other: { ...other, file: prompts!, comparison: compareAnswers(run, other) } };
  } finally {
    catalog.close();
  }
}

/** Of an ensemble that of this number, the first being 1; by default the first that has a prompt. */
function memberToAsk(project: Project, member: number | undefined): OneTeacherConfig {
  const members = membersOf(project.config.teacher);
  if (member === undefined) return members.find(({ kind }) => kind !== "embedded") ?? members[0]!;
  const found = members[member - 1];
  if (found) return found;
  throw new LeafError("usage", say`There is no teacher ${String(member)}: the config has ${members.length}.`);
}

async function askAbout(
  project: Project,
  config: OneTeacherConfig,
  images: TeacherImage[],
  pairs: number,
  options: StageOptions,
): Promise<Pick<DryRun, "teacher" | "questions">> {
  const { pairsPerImage, orders } = project.config.label;
  const teacher = await openTeacher(project, config, options);
  try {
    const inspect = teacher.inspect?.bind(teacher);
    if (!inspect)
      throw new LeafError("usage", say`The ${teacher.kind} teacher has no prompt to show.`, {
        remedy: say`A dry run is for \`teacher: { kind: openai, … }\`, \`{ kind: transformers, … }\` and \`{ kind: clip, … }\`.`,
      });
    const questions: DryRunQuestion[] = [];
    const ask = async (asked: [TeacherImage] | [TeacherImage, TeacherImage]) =>
      questions.push(questionOf(asked, await inspect(asked, options.signal)));
    for (const image of images) await ask([image]);
    for (let i = 0; i < pairs && pairsPerImage > 0; i++) {
      const [a, b] = images.slice(2 * i, 2 * i + 2);
      if (!a || !b) break;
      await ask([a, b]);
      if (orders === "both") await ask([b, a]);
    }
    const { kind, fingerprint } = teacher;
    const about = teacher.about ? inEnglish(teacher.about) : null;
    return { teacher: { kind, fingerprint, about }, questions };
  } finally {
    await teacher.close();
  }
}

/** The same teacher with the prompts of a file. */
async function withPrompts(config: OneTeacherConfig, file: string): Promise<OneTeacherConfig> {
  const text = await readConfigText(file, say`Name a YAML file of what \`teacher.prompts\` may hold.`);
  const read = parseYaml(text);
  const found = read.ok ? teacherSchema.safeParse({ ...config, prompts: read.value }) : undefined;
  if (found?.success && found.data.kind !== "ensemble" && "prompts" in found.data) return found.data;
  const why = found?.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new LeafError(
    "config",
    say`${file} holds no prompts for this teacher (${why ?? say`it is not YAML`}).`,
    {
      file,
      remedy: say`Name a YAML file of what \`teacher.prompts\` may hold.`,
    },
  );
}

/** How far two prompts agree, by the questions that both have an answer to. */
export function compareAnswers(a: Pick<DryRun, "questions">, b: Pick<DryRun, "questions">): PromptComparison {
  const both = a.questions.flatMap(({ images, label }, i) => {
    const other = b.questions[i]!.label;
    return label && other ? [{ images, x: label.value, y: other.value }] : [];
  });
  const points = both.filter(({ images }) => images.length === 1);
  const pairs = both.filter(({ images }) => images.length === 2);
  const column = (of: "x" | "y") => Float64Array.from(points, (one) => one[of]);
  const mean = (values: number[]) =>
    values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length;
  const mass = ({ questions }: Pick<DryRun, "questions">) => mean(questions.map((one) => one.mass))!;
  return {
    images: points.length,
    srcc: srcc(column("x"), column("y")),
    difference: mean(points.map(({ x, y }) => Math.abs(x - y))),
    questions: pairs.length,
    sameWinner: mean(pairs.map(({ x, y }) => Number(x > 0.5 === y > 0.5))),
    mass: [mass(a), mass(b)],
  };
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

/** What is left to label, of all targets, and how many requests and tokens that takes, by one trial request for each question. */
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
      for (const view of [{ project, catalog }, ...askedTargets(project, catalog)])
        for (const config of membersOf(view.project.config.teacher)) {
          const teacher = await openTeacher(project, config, options);
          try {
            // What was found out about its server may have made it another.
            each.push(
              await withPlan(view.project, view.catalog, async (plan) =>
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

/** What several teachers, or questions, lack together, and what that takes. */
function together(each: readonly LabelEstimate[]): LabelEstimate {
  const total = (of: (one: LabelEstimate) => number) => each.reduce((sum, one) => sum + of(one), 0);
  const missing = {
    points: total((one) => one.missing.points),
    pairs: total((one) => one.missing.pairs),
    reasons: total((one) => one.missing.reasons),
  };
  return { images: each[0]!.images, missing, ...sumOf(each) };
}
