import type { LabelResult } from "../../../../protocol/results.ts";
import { money } from "../../../../words/figure.ts";
import { counted, say } from "../../../../words/text.ts";
import { LeafError, withFailures } from "../../../base/errors.ts";
import { digestLines } from "../../../base/keys.ts";
import { shortWaitMs, whenFree } from "../../../base/whenFree.ts";
import type { Project } from "../../../config/project.ts";
import { membersOf } from "../../../config/teacher.ts";
import type { Catalog } from "../../../dataset/catalog.ts";
import { failuresIn } from "../../../failures/list.ts";
import { tellFailures } from "../../../failures/words.ts";
import { labelDataset } from "../../../labelling/labelling.ts";
import type { LeastConfidence } from "../../../labels/counting.ts";
import { type LabelStore, openLabels } from "../../../labels/labels.ts";
import type { Teacher } from "../../../teachers/teacher.ts";
import { judgedImages, pairPlan, sampledPairs } from "../../plan/label.ts";
import { withPlan } from "../../plan/plan.ts";
import type { LabelPlan, Plan } from "../../plan/types.ts";
import { recordStage, runFor } from "../../runs.ts";
import { isFinished, stageDir, writeResult } from "../../stage.ts";
import { estimateMissing } from "./estimate.ts";
import type { Asked, LabelOptions } from "./options.ts";
import { spentOf, spentText, spentTogether } from "./spent.ts";
import { AnotherTeacher, openTeacher, teacherImage, withoutTeacher } from "./teacher.ts";
import { askedOf, type Checked, foundAll, sameAsBefore, storeState } from "./unchanged.ts";

interface Finished extends LabelResult {
  teacher: string;
  /** Digest of the pairs that are learnt from, where the answers chose them. */
  chosen?: string;
  checked?: Checked;
}

/** Has the teacher judge what the store lacks, and writes the stage's result. */
export async function labelAll(
  plan: Plan,
  label: LabelPlan,
  options: LabelOptions,
  { config, opened, together, member, targets = [] }: Asked,
): Promise<LabelResult> {
  const { project, catalog } = plan;
  const { key, teacher: fingerprint } = label;
  const started = performance.now();
  const { orders, reasons, stopAfterFailures, pauseAtFailures } = project.config.label;
  const { needs } = label;
  const dir = stageDir(project, "label", key);
  const finished = isFinished(project, "label", key);
  const waiting = { signal: options.signal, onNote: options.onNote };
  const minConfidence = await minConfidenceNow(project, catalog);
  const alone = !together && !member && targets.length === 0 && !options.only;
  const now = { asked: askedOf(project, label, minConfidence), store: storeState(project.labelsFile) };
  const same = alone ? await sameAsBefore(project, label, now) : undefined;
  if (same) {
    await record(same);
    return same;
  }
  const store = await whenFree(
    project.labelsFile,
    () => openLabels(project.labelsFile, { waitMs: shortWaitMs, people: project.target === undefined }),
    waiting,
  );
  try {
    const bad = await whenFree(store.file, () => store.badRows(), waiting);
    if (bad.count > 0)
      options.onWarning?.(
        say`${project.labelsFile}: ${bad.count} rows are no labels and count as missing (${bad.examples.slice(0, 3).join("; ")})`,
      );
    const imageOf = (hash: string) => teacherImage(catalog, hash);
    const judged = judgedImages(needs);
    let failures = failuresIn(dir);
    const labelBy = async (teacher: Teacher) => {
      failures.discard();
      failures = failuresIn(dir);
      return labelDataset({
        store,
        teacher,
        images: () => judged.values().map(imageOf),
        imageOf,
        pairs: pairPlan(project.config),
        leader: label.judges.members[0]!.fingerprint,
        paired: () => needs.train,
        checks: needs.checks,
        minConfidence,
        orders,
        reasons,
        // Those of an ensemble have been told by whoever was asked.
        stopAfterFailures: together ? null : stopAfterFailures,
        pauseAtFailures: together ? null : pauseAtFailures,
        retryFailed: together !== undefined || options.retryFailed !== false || !finished,
        only: options.only,
        ...waiting,
        onProgress: options.onProgress,
        onFailure: failures.add,
      });
    };
    let labelled: LabelResult;
    try {
      labelled = together
        ? await labelBy(together(store))
        : ((await withoutTeacher(store, fingerprint, labelBy)) ?? (await withTeacher(labelBy)));
    } catch (error) {
      const failed = await failures.finish();
      throw failed && error instanceof LeafError ? withFailures(error, failed) : error;
    }
    if (member) {
      failures.discard();
      return labelled;
    }
    const failed = await failures.finish();
    tellFailures(failed, "label", options.onWarning);
    // What ships with LEAF would say the same again.
    if (failed && membersOf(project.config.teacher).some(({ kind }) => kind !== "embedded"))
      options.onWarning?.(say`\`leaf label\` asks the teacher again for what failed.`);
    const result: LabelResult = {
      ...labelled,
      minConfidence,
      positionBias: await whenFree(store.file, () => store.positionBias(fingerprint), waiting),
      ...(targets.length > 0 && { targets: [...targets] }),
      ...spentTogether(labelled, targets),
      ...(failed && { failures: failed }),
    };
    if (options.only) return result;
    // Answers decide which these are.
    const chosen =
      project.config.label.pairs === "adaptive" &&
      (await whenFree(store.file, () => digestLines(pairLines(project, label, store)), waiting));
    // What others write from here on makes another state.
    const isWhole = alone && bad.count === 0 && foundAll(result) && storeState(store.file) === now.store;
    await writeResult(project, label, {
      ...result,
      teacher: fingerprint,
      ...(chosen && { chosen }),
      ...(isWhole && now.store !== undefined && { checked: { asked: now.asked, store: now.store } }),
    } satisfies Finished);
    await record(result);
    return result;
  } finally {
    store.close();
  }

  async function record(result: LabelResult): Promise<void> {
    if (project.target !== undefined) return;
    const run = await runFor(project, { label: key });
    await recordStage(project, run, "label", { key, seconds: (performance.now() - started) / 1000, result });
  }

  /** Before money is spent, or a limit met. */
  async function tellEstimate(teacher: Teacher): Promise<void> {
    if (config?.kind !== "openai" || !(config.price || config.limit || teacher.dear)) return;
    const { requests, inputTokens, outputTokens, cost } = await estimateMissing(
      plan,
      label,
      store,
      teacher,
      options,
    );
    const tokens = inputTokens + outputTokens;
    options.onNote?.(
      cost
        ? say`${counted(requests)} requests, about ${counted(tokens)} tokens, about ${money(cost)}`
        : say`${counted(requests)} requests, about ${counted(tokens)} tokens`,
    );
  }

  async function withTeacher(work: (teacher: Teacher) => Promise<LabelResult>): Promise<LabelResult> {
    const teacher = opened ?? (await (options.open ?? openTeacher)(project, config!, options));
    if (teacher.fingerprint !== fingerprint) throw new AnotherTeacher(teacher);
    try {
      const known = teacher.about;
      if (known) options.onNote?.(known);
      await tellEstimate(teacher);
      const result = await work(teacher).catch((error: unknown) => {
        // The counters are not asked: the server may be what failed.
        const spent = teacher.spent?.();
        if (spent && spent.requests > 0) options.onNote?.(say`Spent: ${spentText(spent)}`);
        throw error;
      });
      // A local model is loaded by the first question.
      if (!known && teacher.about) options.onNote?.(teacher.about);
      const spent = await spentOf(teacher);
      return { ...result, ...(spent && spent.requests > 0 && { spent }) };
    } finally {
      if (!opened) await teacher.close();
    }
  }
}

function* pairLines(project: Project, label: LabelPlan, store: LabelStore): Generator<string> {
  for (const pair of sampledPairs(project, label, store)) yield pair.join(" ");
}

/** By the labels that there are at this moment. */
function minConfidenceNow(project: Project, catalog: Catalog): Promise<LeastConfidence> {
  return withPlan(project, catalog, (plan) => plan.minConfidence());
}
