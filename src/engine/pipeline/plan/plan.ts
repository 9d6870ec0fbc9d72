import type { StageName } from "../../../protocol/results.ts";
import { LeafError } from "../../base/errors.ts";
import type { Project } from "../../config/project.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import { type LabelStore, openLabels } from "../../labels/labels.ts";
import { askedTargets } from "./asked.ts";
import { planCalibrate } from "./calibrate.ts";
import { planDistill } from "./distill.ts";
import { planEvaluate } from "./evaluate.ts";
import { plannedJudges } from "./judges.ts";
import { planLabel } from "./label.ts";
import { plannedMinConfidence } from "./minConfidence.ts";
import { plannedTemperature } from "./temperature.ts";
import type { Evaluated, EvaluatePlan, Plan, StagePlan } from "./types.ts";

/**
 * The only place that says what each stage would do. A plan is of one moment: what a stage has changed since (labels, a student)
 * is seen by a new one. Close it before its catalog.
 */
export function planOf(project: Project, catalog: Catalog): Plan {
  let store: LabelStore | null | undefined;
  let asked: ReturnType<Plan["asked"]> | undefined;
  const evaluations = new Map<Evaluated, Promise<EvaluatePlan>>();
  const plan: Plan = {
    project,
    catalog,
    asked() {
      asked ??= askedTargets(project, catalog).map((one) => ({
        name: one.name,
        plan: planOf(one.project, one.catalog),
      }));
      return asked;
    },
    judges: once(() => plannedJudges(plan)),
    teacher: async () => (await plan.judges()).fingerprint,
    labels() {
      if (store === undefined) store = readableLabels(project);
      return store ?? undefined;
    },
    minConfidence: once(() => plannedMinConfidence(plan)),
    temperature: once(() => plannedTemperature(plan)),
    label: once(() => planLabel(plan)),
    distill: once(() => planDistill(plan)),
    calibrate: once((choose) => planCalibrate(plan, choose)),
    evaluate(student) {
      let known = evaluations.get(student);
      if (!known) {
        known = planEvaluate(plan, student);
        evaluations.set(student, known);
        known.catch(() => evaluations.delete(student));
      }
      return known;
    },
    close() {
      store?.close();
      store = undefined;
      for (const { plan } of asked ?? []) plan.close();
    },
  };
  return plan;
}

/** The plan of a stage by its name: of evaluations, that of the calibrated student. */
export function stagePlan(plan: Plan, stage: StageName): Promise<StagePlan> {
  return stage === "evaluate" ? plan.evaluate("calibrate") : plan[stage]();
}

/** Does some work with a plan of its own. */
export async function withPlan<T>(
  project: Project,
  catalog: Catalog,
  work: (plan: Plan) => Promise<T>,
): Promise<T> {
  const plan = planOf(project, catalog);
  try {
    return await work(plan);
  } finally {
    plan.close();
  }
}

/** What could not be worked out is tried again. */
function once<A extends unknown[], T>(work: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
  let known: Promise<T> | undefined;
  return (...given) => {
    if (!known) {
      known = work(...given);
      known.catch(() => {
        known = undefined;
      });
    }
    return known;
  };
}

/** A damaged store is told by the stage that needs it. */
function readableLabels(project: Project): LabelStore | null {
  try {
    return openLabels(project.labelsFile, { readOnly: true, people: project.target === undefined });
  } catch (error) {
    if (error instanceof LeafError) return null;
    throw error;
  }
}
