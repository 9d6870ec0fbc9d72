import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { Refit } from "../../protocol/selection.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { Project } from "../config/project.ts";
import { studentToMos } from "../mos/scale.ts";
import { openFeatureStore } from "../selection/featureStore.ts";
import { sampleCandidates } from "../selection/studentTable.ts";
import { withPlan } from "./plan/plan.ts";
import type { CalibratePlan, Plan } from "./plan/types.ts";
import { isFinished, type StageOptions, withCatalog } from "./stage.ts";
import { fitClosedForm } from "./stages/closedForm.ts";

/** Unrated images that are put in order: of more, a seeded sample. */
const mostOrdered = 1000;

/**
 * The closed form with the ratings as they are now, and what it says of the unrated training images whose features are known. It
 * becomes no student and no run: `leaf calibrate` makes these. Images that it needs and that nothing has looked at yet take their
 * time once, then it is seconds. Throws LeafError `failed` where the config calibrates otherwise or there is no distilled student.
 */
export async function refit(project: Project, options: StageOptions = {}): Promise<Refit> {
  return withCatalog(project, options, (catalog) =>
    withPlan(project, catalog, async (plan) => {
      const calibrate = await plan.calibrate(options);
      const { distilled, networks } = calibrate;
      if (networks.length === 0) throw new LeafError("failed", say`The config fits no closed form.`);
      if (distilled && !isFinished(project, "distill", distilled))
        throw new LeafError("failed", say`There is no distilled student for this config yet.`);
      const reference = [...new Set([...calibrate.reference, ...knownImages(plan, calibrate)])].sort();
      // The teacher's scores of other images would take their features.
      const seen = new Set([...reference, ...calibrate.rows.map(({ hash }) => hash)]);
      const taught = calibrate.taught.filter(({ hash }) => seen.has(hash));
      const dir = path.join(project.cache, `refit-${process.pid}`);
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir, { recursive: true });
      try {
        const { done, hashes, images } = await fitClosedForm(
          plan,
          { ...calibrate, reference, taught },
          dir,
          options,
        );
        const rows = (await readFile(done.predictions, "utf8")).trim().split("\n").slice(1);
        const scale = project.config.mos!;
        const point = (scale.range[1] - scale.range[0]) / 4;
        const ordered = hashes.flatMap((hash, i) => {
          if (catalog.mos.has(hash)) return [];
          const [score, sd] = rows[i]!.split(",").map(Number) as [number, number];
          return { hash, image: catalog.relativePathOf(hash), on5: score, sd: sd * point };
        });
        ordered.sort((a, b) => b.on5 - a.on5);
        const { srcc, ci95 } = done.facts.cv;
        return {
          ratings: images,
          seconds: done.durationS,
          expected: { srcc, ci95 },
          images: ordered.map(({ on5, ...one }) => ({ ...one, score: studentToMos(on5, scale) })),
        };
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    }),
  );
}

/** Unrated training images that the distilled student, or the network as it comes, has looked at. */
function knownImages({ project, catalog }: Plan, { distilled }: CalibratePlan): string[] {
  if (!distilled) return [];
  const unrated = catalog.hashes.filter(
    (hash) => catalog.splitOf(hash) === "train" && !catalog.mos.has(hash),
  );
  const store = openFeatureStore(project, `distill-${distilled}`);
  try {
    const missing = new Set(store.missing(unrated, { levels: true }));
    const known = unrated.filter((hash) => !missing.has(hash));
    return sampleCandidates(known, project.config.calibrate.seed, mostOrdered, "refit");
  } finally {
    store.close();
  }
}
