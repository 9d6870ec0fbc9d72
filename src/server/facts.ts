import type { Catalog } from "../engine/catalog.ts";
import { LeafError } from "../engine/errors.ts";
import type { Project } from "../engine/project.ts";
import { managedEnvironmentDir, resolveInterpreter } from "../engine/pythonEnv.ts";
import { commandIds } from "../protocol/commands.ts";
import type { InterpreterCheck } from "./interpreterCheck.ts";
import type { FactProblem } from "./language/context.ts";
import { uriOf } from "./uris.ts";

/** What is wrong with the data that a config names: told at the key that names it. */
export function factsOf(project: Project, catalog: Catalog, interpreters: InterpreterCheck): FactProblem[] {
  return [
    ...imageFacts(catalog),
    ...mosFacts(project, catalog),
    ...splitFacts(project, catalog),
    ...environmentFacts(project, interpreters),
  ];
}

/** A dataset that cannot be opened at all: a folder or column that is not there. */
export function factOfError(project: Project, error: LeafError): FactProblem {
  const { mos, split } = project.config;
  const about = (name: string | undefined) =>
    name !== undefined && (error.file?.endsWith(name) || error.message.includes(name));
  const path = error.message.includes("`images`")
    ? ["images"]
    : about(mos?.file)
      ? ["mos", "file"]
      : about(split.file)
        ? ["split", "file"]
        : ["images"];
  return { path, message: sentence(error.message), severity: "error", code: "data" };
}

function imageFacts({ summary, problems }: Catalog): FactProblem[] {
  const facts: FactProblem[] = [];
  if (summary.images === 0) {
    facts.push({
      path: ["images"],
      message: summary.files === 0 ? "There is no image in here." : "None of these files is a usable image.",
      severity: "error",
      code: "noImages",
    });
  } else if (summary.failed > 0) {
    facts.push({
      path: ["images"],
      message: `${summary.failed} of ${summary.files} files cannot be read and are left out: ${problems[0]}`,
      severity: "warning",
      code: "unreadableImages",
    });
  }
  return facts;
}

function mosFacts(project: Project, { mos, mosProblems, mosProblemCount }: Catalog): FactProblem[] {
  const { config } = project;
  if (!config.mos || mosProblemCount === 0) return [];
  const first = mosProblems[0];
  const severity = mos.size === 0 ? ("error" as const) : ("warning" as const);
  const where = first ? ` First: line ${first.line}: ${first.message}` : "";
  return [
    {
      path: ["mos", "file"],
      message: `${mosProblemCount} rows of ${config.mos.file} are of no use, ${mos.size} are used.${where}`,
      severity,
      code: "mosRows",
    },
  ];
}

function splitFacts(project: Project, catalog: Catalog): FactProblem[] {
  const { config } = project;
  if (!config.mos || catalog.mos.size === 0) return [];
  const rated = { train: 0, val: 0, test: 0 };
  for (const hash of catalog.mos.keys()) rated[catalog.splitOf(hash)]++;
  const facts: FactProblem[] = [];
  const chosen = Math.round(config.calibrate.ratio * rated.train);
  if (config.calibrate.ratio === 0 || rated.train < 2) {
    const ratio = rated.train < 2 ? null : Math.min(1, Math.ceil((2 / rated.train) * 100) / 100);
    facts.push({
      path: ["calibrate", "ratio"],
      message: `${config.calibrate.ratio} leaves ${rated.train < 2 ? chosen : 0} of ${rated.train} rated training images to calibrate with; 2 are the least.`,
      severity: "error",
      code: "noCalibrationImages",
      fix: ratio
        ? { title: `Use ratio ${ratio}`, kind: "replace", path: ["calibrate", "ratio"], value: ratio }
        : {
            title: "Rate images",
            kind: "command",
            command: commandIds.rateImages,
            arguments: [uriOf(project.configFile)],
          },
    });
  }
  const { split } = config.evaluate;
  if (rated[split] < 3) {
    facts.push({
      path: ["evaluate", "split"],
      message: `The ${split} split has ${rated[split]} rated images; 3 are the least to evaluate with.`,
      severity: "warning",
      code: "noTestImages",
      fix: {
        title: "Rate images",
        kind: "command",
        command: commandIds.rateImages,
        arguments: [uriOf(project.configFile)],
      },
    });
  }
  return facts;
}

function environmentFacts(project: Project, interpreters: InterpreterCheck): FactProblem[] {
  const { interpreter } = project.config.python;
  let problem: string | undefined;
  try {
    const resolved = resolveInterpreter(interpreter, project.root);
    // One that the config names may be any; the others were asked when they were set up or chosen.
    if (interpreter) problem = interpreters.problemOf(resolved);
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    problem = error.message;
  }
  if (problem === undefined) return [];
  return [
    {
      path: interpreter ? ["python", "interpreter"] : ["student"],
      message: sentence(problem),
      severity: interpreter ? "error" : "info",
      code: "environment",
      fix: {
        title: `Set Up Training Environment (in ${managedEnvironmentDir()})`,
        kind: "command",
        command: commandIds.setUpEnvironment,
        arguments: [uriOf(project.configFile)],
      },
    },
  ];
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
