import type { LabelResult, Spent } from "../../../../protocol/results.ts";
import { figure } from "../../../../words/figure.ts";
import { say } from "../../../../words/text.ts";
import { isCancelled, LeafError, withPlace } from "../../../base/errors.ts";
import type { Project } from "../../../config/project.ts";
import { memberPath } from "../../../config/teacher.ts";
import { linesOf } from "../../../config/yamlDocument.ts";
import { storedEnsemble } from "../../../labelling/ensemble.ts";
import { holdingStage } from "../../lock.ts";
import { withPlan } from "../../plan/plan.ts";
import type { LabelPlan, Plan } from "../../plan/types.ts";
import { labelAll } from "./labelAll.ts";
import type { LabelOptions, NamedLabels } from "./options.ts";
import { sumOf } from "./spent.ts";
import { AnotherTeacher, teacherName } from "./teacher.ts";

/** Each teacher of an ensemble in turn, one at a time on this machine; then their labels are combined, by what these say now. */
export async function labelTogether(
  plan: Plan,
  label: LabelPlan,
  options: LabelOptions,
  targets: readonly NamedLabels[],
): Promise<LabelResult> {
  const { project, catalog } = plan;
  const { members } = label.judges;
  const spent: Spent[] = [];
  for (const [at, { config, fingerprint }] of members.entries()) {
    const own = { ...label, teacher: fingerprint };
    const asked = { config, member: true };
    const result = await labelAll(plan, own, options, asked).catch((error: unknown) => {
      throw placed(error, project, memberPath(project.config.teacher, at));
    });
    const { points, pairs } = result;
    options.onNote?.(
      say`${teacherName(config)}: ${points.labelled} images and ${pairs.labelled} pairs judged, ${points.reused} and ${pairs.reused} reused, ${points.failed} and ${pairs.failed} failed`,
    );
    if (result.spent) spent.push(result.spent);
  }
  return withPlan(project, catalog, async (now) => {
    const combined = await now.label();
    const { identity, weights } = combined.judges.ensemble!;
    const named = combined.judges.members.map(({ config, fingerprint }) => ({
      fingerprint,
      name: teacherName(config),
    }));
    options.onNote?.(
      say`together: ${named.map(({ name }, i) => `${name} ${figure(weights.all[i]!, 2)}`).join(", ")}`,
    );
    const combine = async () => {
      const result = await labelAll(now, combined, options, {
        config: null,
        together: (store) => storedEnsemble(store, named, identity, weights),
        targets,
      });
      return spent.length > 0 ? { ...result, spent: sumOf(spent) } : result;
    };
    return combined.key === label.key ? combine() : holdingStage(project, "label", combined.key, combine);
  });
}

/** What one teacher of several fails with is told at its own line of the config. */
function placed(error: unknown, { configFile }: Project, at: (string | number)[]): unknown {
  if (
    !(error instanceof LeafError) ||
    isCancelled(error) ||
    error instanceof AnotherTeacher ||
    error.file !== undefined
  )
    return error;
  return withPlace(error, { file: configFile, line: linesOf(configFile)(at) });
}
