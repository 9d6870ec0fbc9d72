import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { shortWaitMs, whenFree } from "../../engine/base/whenFree.ts";
import type { Project } from "../../engine/config/project.ts";
import { openCatalog } from "../../engine/dataset/catalog.ts";
import { importLabelsParquet } from "../../engine/labels/importParquet.ts";
import { type LabelStore, openLabels, type TeacherSummary } from "../../engine/labels/labels.ts";
import { mergeLabels } from "../../engine/labels/merge.ts";
import { exportLabelsParquet } from "../../engine/labels/parquet.ts";
import type { BadRows } from "../../engine/labels/rules.ts";
import { withPlan } from "../../engine/pipeline/plan/plan.ts";
import { outputRules } from "../../engine/pipeline/projectInputs.ts";
import { compareTeachers } from "../../engine/reliability/compareTeachers.ts";
import { type RankedImage, rankImages } from "../../engine/reliability/ranking.ts";
import { teacherFingerprint } from "../../engine/teachers/createTeacher.ts";
import type { TeacherComparison } from "../../protocol/reliability.ts";
import { figure, percent } from "../../words/figure.ts";
import { say } from "../../words/text.ts";
import { type CliContext, findProject, table } from "../context.ts";
import { worded } from "../locale.ts";
import type { Run } from "../run.ts";

/** The label store by itself: who has judged what, and what other stores know. */
export function addLabelsCommands(program: Command, run: Run): void {
  const labels = program
    .command("labels")
    .description("look at the label store, merge, compare, export or import it");
  labels
    .command("list")
    .description("list the teachers and how much each has labelled")
    .action((_flags, command) =>
      run(async (context) => {
        const { labelsFile } = await findProject(context);
        const teachers = await withStore(context, labelsFile, "read", (store) => store.teachers());
        const rows = teachers.map((teacher) => [
          teacher.fingerprint.slice(0, 12),
          nameOf(teacher),
          String(teacher.points),
          String(teacher.pairs),
        ]);
        context.print({ teachers }, table(["fingerprint", "teacher", "images", "pairs"], rows));
      })(command),
    );
  labels
    .command("merge")
    .description("copy the labels of other stores into this one")
    .argument("<stores...>", "labels.sqlite of other projects or machines")
    .option("-o, --out <file>", "the store to merge into (default: this project's)")
    .action((files: string[], flags: { out?: string }, command) =>
      run(async (context) => {
        const into = flags.out ?? (await findProject(context)).labelsFile;
        const merged = await withStore(context, into, "write", (store) =>
          files.map((file) => ({ file, ...mergeLabels(store, file) })),
        );
        for (const { file, bad } of merged) if (bad) context.note(`warning: ${leftOut(file, bad)}`);
        const lines = merged.map(
          ({ file, points, pairs, reasons, known }) =>
            `${file}: ${points} image labels, ${pairs} pairs and ${reasons} reasons taken over; ${known.points + known.pairs} known already`,
        );
        context.print({ into, merged }, lines.join("\n"));
      })(command),
    );
  labels
    .command("compare")
    .description("compare two teachers on what both have judged")
    .argument("<a>", "beginning of a fingerprint, or part of a model's name")
    .argument("<b>")
    .action((first: string, second: string, _flags, command) =>
      run(async (context) => {
        const { labelsFile } = await findProject(context);
        const { a, b, agreement } = await withStore(context, labelsFile, "read", (store) => {
          const [a, b] = [teacherNamed(store, first), teacherNamed(store, second)];
          return { a, b, agreement: compareTeachers(store, a.fingerprint, b.fingerprint) };
        });
        const result = { a: a.fingerprint, b: b.fingerprint, ...agreement };
        context.print(result, comparisonText(nameOf(a), nameOf(b), agreement));
      })(command),
    );
  labels
    .command("rank")
    .description("make one ranking of all preferences, with error bars, beside the point-wise scores")
    .option(
      "--teacher <name>",
      "beginning of a fingerprint, or part of a model's name (default: the config's)",
    )
    .option("--apart", "first the images whose preferences and point-wise scores differ most, in error bars")
    .action((flags: { teacher?: string; apart?: boolean }, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const wanted = flags.teacher ? undefined : await teacherOfConfig(context, project);
        const catalog = await openCatalog(project, { signal: context.signal });
        try {
          const { teacher, images } = await withStore(context, project.labelsFile, "read", (store) => {
            const teacher = wanted ?? teacherNamed(store, flags.teacher!).fingerprint;
            return { teacher, images: rankImages(store, teacher, new Set(catalog.hashes)) };
          });
          if (images.length === 0)
            throw new LeafError("input", say`This teacher has compared no images of the project.`, {
              remedy: say`Run \`leaf label\` first, with \`label.pairsPerImage\` above 0.`,
            });
          const apart = ({ apart }: RankedImage) => Math.abs(apart ?? 0);
          if (flags.apart) images.sort((x, y) => apart(y) - apart(x));
          const named = images.map((one) => ({ image: catalog.relativePathOf(one.hash), ...one }));
          const cell = (value: number | null) => (value === null ? "–" : figure(value, 2));
          const rows = named.map((one) => [
            String(one.rank),
            one.image,
            cell(one.score),
            one.error === null ? "–" : `± ${figure(one.error, 2)}`,
            cell(one.point),
            cell(one.apart),
            String(one.pairs),
          ]);
          const heads = ["rank", "image", "by pairs", "error", "by points", "apart", "pairs"];
          context.print({ teacher, images: named }, table(heads, rows));
        } finally {
          catalog.close();
        }
      })(command),
    );
  labels
    .command("export")
    .description("write a teacher's labels to points.parquet and pairs.parquet")
    .argument("<folder>")
    .option(
      "--teacher <name>",
      "beginning of a fingerprint, or part of a model's name (default: the config's)",
    )
    .option("--force", "overwrite a file that LEAF did not write")
    .action((folder: string, flags: { teacher?: string; force?: boolean }, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const { labelsFile } = project;
        const rules = await outputRules(project, { force: flags.force });
        const result = await withStore(context, labelsFile, "read", async (store) => {
          const named = flags.teacher && teacherNamed(store, flags.teacher).fingerprint;
          const teacher = named || (await teacherOfConfig(context, project));
          return exportLabelsParquet(store, teacher, folder, { signal: context.signal, rules });
        });
        const what = `${result.points} image labels and ${result.pairs} pairs`;
        context.print(result, `Wrote ${what} to ${result.files.join(", ")}.`);
      })(command),
    );
  labels
    .command("import")
    .description("read labels from points.parquet and pairs.parquet")
    .argument("<folder>")
    .action((folder: string, _flags, command) =>
      run(async (context) => {
        const { labelsFile } = await findProject(context);
        const result = await withStore(context, labelsFile, "write", (store) =>
          importLabelsParquet(store, folder, { signal: context.signal }),
        );
        if (result.bad) context.note(`warning: ${leftOut(folder, result.bad)}`);
        const { points, pairs } = result;
        const known = points.known + pairs.known;
        const text = `${points.added} image labels and ${pairs.added} pairs taken over; ${known} known already.`;
        context.print(result, text);
      })(command),
    );
}

/** Fingerprint of the config's teacher; that of an ensemble depends on labels and ratings. */
async function teacherOfConfig({ signal }: CliContext, project: Project): Promise<string> {
  const { teacher } = project.config;
  if (teacher.kind !== "ensemble") return teacherFingerprint(teacher, project.root);
  const catalog = await openCatalog(project, { signal });
  try {
    return await withPlan(project, catalog, (plan) => plan.teacher());
  } finally {
    catalog.close();
  }
}

async function withStore<T>(
  context: CliContext,
  file: string,
  mode: "read" | "write",
  work: (store: LabelStore) => T | Promise<T>,
): Promise<T> {
  const open = () => openLabels(file, { readOnly: mode === "read", waitMs: shortWaitMs });
  const store = await whenFree(file, open, {
    signal: context.signal,
    onNote: (note) => context.note(worded(note)),
  });
  // From here on in one piece of work at a time: SQLite itself waits a while.
  store.db.exec("PRAGMA busy_timeout = 10000");
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/** A teacher by the beginning of its fingerprint, or by a part of its name that no other has. */
function teacherNamed(store: LabelStore, wanted: string): TeacherSummary {
  const teachers = store.teachers();
  const found = teachers.filter(
    (teacher) => teacher.fingerprint.startsWith(wanted) || nameOf(teacher).includes(wanted),
  );
  if (found.length === 1) return found[0]!;
  const known = teachers
    .map((teacher) => `${teacher.fingerprint.slice(0, 12)} (${nameOf(teacher)})`)
    .join(", ");
  const why =
    found.length === 0
      ? say`No teacher in the store is called ${wanted}.`
      : say`Several teachers in the store are called ${wanted}.`;
  throw new LeafError("usage", why, {
    remedy: say`There are: ${known || say`none`}.`,
  });
}

function comparisonText(a: string, b: string, { points, pairs }: TeacherComparison): string {
  const lines = [`${a} and ${b}`];
  if (points)
    lines.push(
      `images  n ${points.n} · SRCC ${figure(points.srcc)} · PLCC ${figure(points.plcc)} · mean difference ${figure(points.meanDifference, 2)}`,
      `        same word ${percent(points.sameWord)} · Cohen's kappa ${figure(points.kappa)}, ${figure(points.kappaQuadratic)} with quadratic weights`,
    );
  if (pairs)
    lines.push(
      `pairs   n ${pairs.n} · same winner ${percent(pairs.equal)} · Cohen's kappa ${figure(pairs.kappa)} · PLCC of P(a better) ${figure(pairs.plcc)}`,
    );
  if (!points && !pairs) lines.push("They have judged no image or pair in common.");
  return lines.join("\n");
}

/** Rows that were not taken over, the first by name. */
function leftOut(from: string, { count, examples }: BadRows): string {
  const more = count > examples.length ? `\n  and ${count - examples.length} more` : "";
  const what = count === 1 ? "1 row is" : `${count} rows are`;
  return `${from}: ${what} left out:\n${examples.map((one) => `  ${one}`).join("\n")}${more}`;
}

/** "openai OpenGVLab/InternVL3_5-8B-HF". */
export function nameOf({ kind, description }: { kind: string; description: unknown }): string {
  const model =
    description !== null && typeof description === "object" && "model" in description
      ? String(description.model)
      : "";
  return kind === "embedded" ? kind : `${kind} ${model}`.trim();
}
