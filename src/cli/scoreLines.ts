import { once } from "node:events";
import { availableParallelism } from "node:os";
import path from "node:path";
import { LeafError } from "../engine/base/errors.ts";
import type { Project } from "../engine/config/project.ts";
import { maxPixelsOf } from "../engine/images/limits.ts";
import { scoreLines } from "../engine/scoring/lines.ts";
import { chosenStudent } from "../engine/scoring/score.ts";
import { openStudent } from "../engine/student/student.ts";
import { studentWords } from "../words/student.ts";
import { say } from "../words/text.ts";
import { english } from "../words/translate.ts";
import type { CliContext } from "./context.ts";
import { terminalJsonLine } from "./terminalText.ts";

/** `leaf score -`: a line in, a line of JSON out, in their order and as soon as it is there. */
export async function scoreStandardInput(
  context: CliContext,
  project: Project | undefined,
  options: { paths: string[]; student?: string; csv?: boolean; strict?: boolean; threads?: number },
): Promise<void> {
  if (options.paths.length > 1 || options.csv)
    throw new LeafError("usage", say`\`leaf score -\` takes no other paths, and prints JSON Lines alone.`);
  const chosen = await chosenStudent(project, options.student, context.signal);
  const student = await openStudent(path.resolve(chosen.folder), { threads: options.threads });
  try {
    context.note(`Scored by ${studentWords(english, { ...chosen, stage: student.card.stage })}.`);
    const { scored, failed } = await scoreLines(student, process.stdin, {
      ahead: 2 * (options.threads ?? availableParallelism()),
      maxPixels: maxPixelsOf(project?.config),
      signal: context.signal,
      async tell(answer) {
        if (!process.stdout.write(`${terminalJsonLine(answer)}\n`)) await once(process.stdout, "drain");
      },
    });
    context.note(`${scored} images scored, ${failed} lines failed.`);
    if (failed > 0 && (options.strict || scored === 0)) process.exitCode = 1;
  } finally {
    await student.close();
  }
}
