import path from "node:path";
import { type Command, Option } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { openCatalog } from "../../engine/dataset/catalog.ts";
import { ceilingOf } from "../../engine/metrics/ceiling.ts";
import { furtherTargets, mainColumn, targetsOf } from "../../engine/mos/complete.ts";
import { catalogOfTarget } from "../../engine/pipeline/plan/asked.ts";
import type { OnConflict } from "../../engine/ratings/merge.ts";
import { type MergeResult, mergeRatingFiles, type RatingColumns } from "../../engine/ratings/mergeFiles.ts";
import { raterFacts, ratersTable } from "../../engine/report/ratersTable.ts";
import { ceilingText } from "../../words/ceiling.ts";
import { count } from "../../words/figure.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { type CliContext, findProject, projectHere, stageOptions, table } from "../context.ts";
import type { Run } from "../run.ts";

interface MergeOptions extends RatingColumns {
  out?: string;
  conflicts?: OnConflict;
}

/** Single ratings of several people: how they agree, and their files as one. */
export function addRatingsCommand(program: Command, run: Run): void {
  const ratings = program
    .command("ratings")
    .description("who rated how: agreement of raters with the others and with themselves")
    .option("--target <name>", "ratings of another target of mos.score than the main one")
    .action(({ target }: { target?: string }, command) =>
      run((context) => showRaters(context, target))(command),
    );
  ratings
    .command("merge")
    .description("take the single ratings of other files over; the same image, rater and time are one")
    .argument("<files...>", "tables with a rating a row: names of images, ratings and raters")
    .option("-o, --out <csv>", "file to merge into (default: `mos.file` of the config)")
    .option("--image <column>", "column with the names of the images")
    .option("--score <column>", "column with the ratings")
    .option("--rater <column>", "column that says who rated")
    .addOption(
      new Option(
        "--conflicts <how>",
        "one rating is another in two files: keep the first file's, or both (default: stop)",
      ).choices(["first", "both"]),
    )
    .action((files: string[], options: MergeOptions, command) =>
      run(async (context) => {
        const result = await mergeFiles(context, files, options);
        context.print(result, mergedText(result));
      })(command),
    );
}

async function showRaters(context: CliContext, target: string | undefined): Promise<void> {
  const project = await findProject(context);
  const catalog = await openCatalog(project, stageOptions(context));
  try {
    const { mos } = project.config;
    const further = furtherTargets(mos).find(({ name }) => name === target);
    if (target !== undefined && !further && target !== targetsOf(mos)[0]?.name)
      throw new LeafError("usage", say`There is no target ${target}.`);
    const { raw } = further ? catalogOfTarget(catalog, further.name) : catalog;
    const raters = raw ? raterFacts(raw) : [];
    if (!raw || raters.length === 0)
      throw new LeafError("input", say`The human scores do not say who rated.`, {
        file: project.configFile,
        remedy: say`Name a file of single ratings under \`mos.file\`, and its column with the raters under \`mos.rater\`.`,
      });
    const ceiling = ceilingOf(mos, raw.ratings, raw.ratings.keys());
    const { header, rows } = ratersTable(raters);
    const lines = [table(header, rows), ...(ceiling ? [ceilingText(english, ceiling)] : [])];
    context.print({ raters, ...(ceiling && { ceiling }) }, lines.join("\n"));
  } finally {
    catalog.close();
  }
}

async function mergeFiles(
  context: CliContext,
  files: readonly string[],
  { out, conflicts, ...given }: MergeOptions,
): Promise<MergeResult> {
  const project = await projectHere(context);
  const mos = project?.config.mos;
  const into = out ?? (mos?.rater === undefined ? undefined : path.resolve(project!.root, mos.file));
  if (into === undefined)
    throw new LeafError("usage", say`It is not said which file to merge into.`, {
      remedy: say`Name it with --out, or in the config as \`mos: { file: …, rater: … }\`.`,
    });
  return mergeRatingFiles(files, into, {
    columns: {
      image: mos?.image,
      rater: mos?.rater,
      ...(mos?.rater && { score: mainColumn(mos) }),
      ...given,
    },
    onConflict: conflicts,
  });
}

function mergedText({ into, merged, conflicts }: MergeResult): string {
  return [
    ...merged.map(
      ({ file, added, known }) =>
        `${file}: ${count(added)} ratings taken over, ${count(known)} known already`,
    ),
    ...(conflicts.length > 0 ? [`Ratings that differ between the files: ${count(conflicts.length)}.`] : []),
    `Wrote ${into}.`,
  ].join("\n");
}
