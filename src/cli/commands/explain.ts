import path from "node:path";
import type { Command } from "commander";
import { checkOutputs, writeOutput } from "../../engine/base/outputs.ts";
import { experimentTables } from "../../engine/experiments/inReport.ts";
import { decodeImage } from "../../engine/images/decode.ts";
import { maxPixelsOf } from "../../engine/images/limits.ts";
import { preparedImage } from "../../engine/images/prepared.ts";
import { outputRules } from "../../engine/pipeline/projectInputs.ts";
import { writeReport } from "../../engine/report/write.ts";
import { chosenStudent } from "../../engine/scoring/score.ts";
import { heatMap } from "../../engine/student/heatMap.ts";
import { heatPicture } from "../../engine/student/heatPicture.ts";
import { openStudent } from "../../engine/student/student.ts";
import { scoreFigure, scoreText } from "../../words/score.ts";
import { studentWords } from "../../words/student.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, projectHere } from "../context.ts";
import type { Run } from "../run.ts";

const longestSide = 1024;

/** What explains a student: where it looks, and all that is known of how it was made. */
export function addExplainCommands(program: Command, run: Run): void {
  program
    .command("heatmap")
    .description("draw where the student sees high and low quality in an image")
    .argument("<image>", "an image file")
    .option("-o, --out <file>", "PNG to write (default: <image>.heatmap.png in this folder)")
    .option("--student <folder>", "an exported student (default: the newest of this config)")
    .option("--force", "overwrite a file that LEAF did not write")
    .action((file: string, options: { out?: string; student?: string; force?: boolean }, command) =>
      run(async (context) => {
        const project = options.student ? await projectHere(context) : await findProject(context);
        const chosen = await chosenStudent(project, options.student, context.signal);
        const { folder } = chosen;
        const out = options.out ?? `${path.parse(file).name}.heatmap.png`;
        const { force } = options;
        const also = [
          { file, what: say`the image itself` },
          ...["student.onnx", "student.json"].map((name) => ({
            file: path.join(folder, name),
            what: say`the student`,
          })),
        ];
        const rules = project ? await outputRules(project, { force, also }) : { force, inputs: also };
        await checkOutputs([out], rules);
        const student = await openStudent(path.resolve(folder));
        try {
          const maxPixels = maxPixelsOf(project?.config);
          const image = await decodeImage(file, { maxPixels });
          if (image.note) context.note(`warning: ${file}: ${image.note}`);
          const { input } = student.card;
          const picture =
            input.decode && (await preparedImage({ path: file, hash: null }, input, { maxPixels }));
          const map = await heatMap(student, image, picture);
          await writeOutput(out, await heatPicture(image, map, { longestSide, legend: true }), rules);
          const all = map.views.flatMap((view) => view.scores);
          const [low, high] = [Math.min(...all), Math.max(...all)];
          context.print(
            { image: file, file: out, student: { ...chosen, stage: student.card.stage }, ...map },
            `Wrote ${out}: score ${scoreText(english, map.score, map.scale)} by ${studentWords(english, { ...chosen, stage: student.card.stage })}, made of local scores from ${scoreFigure(low, map.scale)} to ${scoreFigure(high, map.scale)}. Orange lowers the quality, blue raises it; the student did not look at what is dark.`,
          );
        } finally {
          await student.close();
        }
      })(command),
    );
  program
    .command("report")
    .description("write a run's figures, plots and images as one HTML file")
    .argument("[run]", "id of a run (default: the newest of this config)")
    .option("-o, --out <file>", "HTML file to write", "report.html")
    .option("--force", "overwrite a file that LEAF did not write")
    .action((id: string | undefined, options: { out: string; force?: boolean }, command) =>
      run(async (context) => {
        const project = await findProject(context);
        const result = await writeReport(project, options.out, {
          run: id,
          tables: await experimentTables(project),
          force: options.force,
          signal: context.signal,
          onProgress: context.onProgress,
        });
        context.print(result, `Wrote ${result.file}: the report of run ${result.run}.`);
      })(command),
    );
}
