import type { Command } from "commander";
import { mergeLabels } from "../../engine/labels/merge.ts";
import { openLabels } from "../../engine/labels.ts";
import { findProject, table } from "../context.ts";
import type { Run } from "../run.ts";

/** The label store by itself: who has judged what, and what other stores know. */
export function addLabelsCommands(program: Command, run: Run): void {
  const labels = program.command("labels").description("the label store: teachers, merge, compare, Parquet");
  labels
    .command("list")
    .description("who has labelled how much")
    .action((_flags, command) =>
      run(async (context) => {
        const store = openLabels((await findProject(context)).labelsFile, { readOnly: true });
        try {
          const teachers = store.teachers();
          const rows = teachers.map((teacher) => [
            teacher.fingerprint.slice(0, 12),
            nameOf(teacher),
            String(teacher.points),
            String(teacher.pairs),
          ]);
          context.print({ teachers }, table(["fingerprint", "teacher", "images", "pairs"], rows));
        } finally {
          store.close();
        }
      })(command),
    );
  labels
    .command("merge")
    .description("take the labels of other stores over")
    .argument("<stores...>", "labels.sqlite of other projects or machines")
    .option("-o, --out <file>", "the store to merge into (default: this project's)")
    .action((files: string[], flags: { out?: string }, command) =>
      run(async (context) => {
        const target = flags.out ?? (await findProject(context)).labelsFile;
        const store = openLabels(target);
        try {
          const merged = files.map((file) => ({ file, ...mergeLabels(store, file) }));
          const lines = merged.map(
            ({ file, points, pairs, reasons, known }) =>
              `${file}: ${points} image labels, ${pairs} pairs and ${reasons} reasons taken over; ${known.points + known.pairs} known already`,
          );
          context.print({ into: target, merged }, lines.join("\n"));
        } finally {
          store.close();
        }
      })(command),
    );
}

/** "openai OpenGVLab/InternVL3_5-8B-HF". */
export function nameOf({ kind, description }: { kind: string; description: unknown }): string {
  const model =
    description !== null && typeof description === "object" && "model" in description
      ? String(description.model)
      : "";
  return kind === "embedded" ? kind : `${kind} ${model}`.trim();
}
