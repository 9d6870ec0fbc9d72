import { type MosConfig, targetsOf } from "../mos/complete.ts";
import { type WrittenScore, writtenTargets } from "../mos/targets.ts";
import { questionOf } from "./namedQuestion.ts";
import type { OneTeacherConfig, TeacherConfig } from "./teacher.ts";

/**
 * The teacher as it is asked for a target beside the main one: with the question of `prompts.targets`, else with the one of LEAF's that
 * the target is named after. Undefined where it has none; of an ensemble those remain that have one.
 */
export function teacherFor(teacher: TeacherConfig, target: string): TeacherConfig | undefined {
  if (teacher.kind !== "ensemble") return oneFor(teacher, target);
  const asked = teacher.of.flatMap((one, i) => {
    const own = oneFor(one, target);
    return own ? [{ own, i }] : [];
  });
  if (asked.length < 2) return asked[0]?.own;
  const { weights } = teacher;
  return {
    ...teacher,
    of: asked.map(({ own }) => own),
    weights: Array.isArray(weights) ? asked.map(({ i }) => weights[i]!) : weights,
  };
}

function oneFor(teacher: OneTeacherConfig, target: string): OneTeacherConfig | undefined {
  if (teacher.kind === "embedded") return undefined;
  if (teacher.kind === "clip") {
    const { targets, quality: _, ...shared } = teacher.prompts;
    const own = targets?.[target];
    return own ? { ...teacher, prompts: { ...shared, ...own } } : undefined;
  }
  const { targets, family, domain, text, letters, tie } = teacher.prompts;
  const own = targets?.[target];
  if (own === null) return undefined;
  const question = own?.question ?? questionOf(target) ?? (own ? "quality" : undefined);
  if (question === undefined) return undefined;
  const prompts = { family, domain, text, letters, tie, ...own, question };
  if (question === "alignment" && prompts.text === undefined) return undefined;
  return { ...teacher, prompts };
}

/** With several targets the main one is asked for by its name, too, where the config does not say otherwise. */
export function withMainQuestion(teacher: TeacherConfig, mos: MosConfig | undefined): TeacherConfig {
  const [main] = targetsOf(mos);
  const named = main && questionOf(main.name);
  const one = (teacher: OneTeacherConfig): OneTeacherConfig => {
    if (teacher.kind === "embedded" || teacher.kind === "clip") return teacher;
    const { prompts } = teacher;
    const fits = named !== "alignment" || prompts.text !== undefined;
    return {
      ...teacher,
      prompts: { ...prompts, question: prompts.question ?? (fits ? named : undefined) ?? "quality" },
    };
  };
  return teacher.kind === "ensemble" ? { ...teacher, of: teacher.of.map(one) } : one(teacher);
}

/** A name under `prompts.targets` that is no target beside the main one, and where it stands. */
export function unknownTarget(
  teacher: TeacherConfig,
  score: WrittenScore | undefined,
): { path: (string | number)[]; name: string; main: boolean } | undefined {
  const [main, ...further] = score === undefined ? [] : writtenTargets(score).map(({ name }) => name);
  const all = teacher.kind === "ensemble" ? teacher.of : [teacher];
  for (const [i, one] of all.entries()) {
    const targets = "prompts" in one ? (one.prompts.targets ?? {}) : {};
    const name = Object.keys(targets).find((target) => !further.includes(target));
    if (name === undefined) continue;
    const path = ["teacher", ...(teacher.kind === "ensemble" ? ["of", i] : []), "prompts", "targets", name];
    return { path, name, main: name === main };
  }
  return undefined;
}
