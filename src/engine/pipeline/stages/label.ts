import type { LabelResult } from "../../../protocol/results.ts";
import { say } from "../../../words/text.ts";
import { during } from "../../base/unexpected.ts";
import type { Project } from "../../config/project.ts";
import type { Catalog } from "../../dataset/catalog.ts";
import type { Teacher } from "../../teachers/teacher.ts";
import { holdingStage } from "../lock.ts";
import { askedTargets } from "../plan/asked.ts";
import { planOf, withPlan } from "../plan/plan.ts";
import { withCatalog } from "../stage.ts";
import { labelAll } from "./label/labelAll.ts";
import type { LabelOptions, NamedLabels } from "./label/options.ts";
import { spentBefore } from "./label/spent.ts";
import { AnotherTeacher, refuseEmpty } from "./label/teacher.ts";
import { labelTogether } from "./label/together.ts";

/**
 * Stage 1: the teacher judges the images that are learnt from or validated on, the sampled pairs of the former, and what is asked for
 * by name. What the store holds already is not asked again. Targets that it has a question for come first: the main one's result says
 * that all are done.
 */
export async function labelStage(project: Project, options: LabelOptions = {}): Promise<LabelResult> {
  return withCatalog(project, options, async (catalog) => {
    refuseEmpty(project, catalog);
    const views = askedTargets(project, catalog);
    if (views.length === 0) return labelOne(project, catalog, options);
    const { key } = await withPlan(project, catalog, (plan) => plan.label());
    const targets: NamedLabels[] = [];
    await holdingStage(project, "label", key, async () => {
      for (const { name, project: own, catalog: seen } of views) {
        const result = await labelOne(own, seen, { ...options, ...spentBefore(targets, project) });
        const { points, pairs, spent } = result;
        options.onNote?.(
          say`${name}: ${points.labelled} images and ${pairs.labelled} pairs judged, ${points.reused} and ${pairs.reused} reused, ${points.failed} and ${pairs.failed} failed`,
        );
        targets.push({ name, points, pairs, ...(spent && { spent }) });
      }
    });
    return labelOne(project, catalog, { ...options, ...spentBefore(targets, project) }, targets);
  });
}

async function labelOne(
  project: Project,
  catalog: Catalog,
  options: LabelOptions,
  targets: readonly NamedLabels[] = [],
): Promise<LabelResult> {
  let opened: Teacher | undefined;
  let planned = 0;
  try {
    for (;;) {
      const plan = planOf(project, catalog);
      const label = await plan.label();
      try {
        return await holdingStage(project, "label", label.key, () =>
          during(say`the images were labelled`, project.configFile, () =>
            label.judges.ensemble
              ? labelTogether(plan, label, options, targets)
              : labelAll(plan, label, options, {
                  config: label.judges.members[0]!.config,
                  opened,
                  targets,
                }),
          ),
        );
      } catch (error) {
        if (!(error instanceof AnotherTeacher)) throw error;
        const { members, ensemble } = label.judges;
        if (ensemble) await error.teacher.close();
        if (opened || planned++ > members.length) throw error;
        if (!ensemble) opened = error.teacher;
      }
    }
  } finally {
    await opened?.close();
  }
}
