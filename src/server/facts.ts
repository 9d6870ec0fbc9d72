import path from "node:path";
import { LeafError } from "../engine/base/errors.ts";
import type { Project } from "../engine/config/project.ts";
import { consentItems, isApproved } from "../engine/consent/needed.ts";
import type { Catalog } from "../engine/dataset/catalog.ts";
import { dataErrors, ratedIn, uselessRows } from "../engine/dataset/dataErrors.ts";
import type { StageStatus } from "../engine/pipeline/status.ts";
import { managedEnvironmentDir, resolveInterpreter } from "../engine/python/environment.ts";
import { commandIds } from "../protocol/commands.ts";
import type { ItemFailure } from "../protocol/failures.ts";
import { count } from "../words/figure.ts";
import { kept } from "../words/kept.ts";
import type { InterpreterCheck } from "./interpreterCheck.ts";
import type { FactProblem } from "./language/context.ts";
import { t, worded } from "./locale.ts";
import { uriOf } from "./uris.ts";

/** What is wrong with the data that a config names: told at the key that names it. */
export function factsOf(project: Project, catalog: Catalog, interpreters: InterpreterCheck): FactProblem[] {
  return [
    ...errorFacts(project, catalog),
    ...imageFacts(catalog),
    ...placeFacts(catalog),
    ...mosFacts(project, catalog),
    ...splitFacts(project, catalog),
    ...environmentFacts(project, interpreters),
  ];
}

/** A dataset that cannot be opened at all: a folder or column that is not there. */
export function factOfError(project: Project, error: LeafError): FactProblem {
  const { mos, split } = project.config;
  const about = (name: string | undefined) =>
    name !== undefined && error.file !== undefined && error.file === path.resolve(project.root, name);
  const key = about(mos?.file) ? ["mos", "file"] : about(split.file) ? ["split", "file"] : ["images"];
  return {
    path: [...(error.key ?? key)],
    message: sentence(worded(error.words.message)),
    severity: "error",
    code: "data",
  };
}

function errorFacts(project: Project, catalog: Catalog): FactProblem[] {
  return dataErrors(project, catalog).map((error) => ({
    ...error,
    message: worded(error.message),
    severity: "error",
    ...(error.code === "noCalibrationImages" && { fix: moreCalibrationImages(project, catalog) }),
  }));
}

function moreCalibrationImages(project: Project, catalog: Catalog): FactProblem["fix"] {
  const rated = ratedIn(catalog, "train");
  if (rated >= 2) {
    const ratio = Math.min(1, Math.ceil((2 / rated) * 100) / 100);
    return { title: t("Use ratio {0}", ratio), kind: "replace", path: ["calibrate", "ratio"], value: ratio };
  }
  return {
    title: t("Rate images"),
    kind: "command",
    command: commandIds.rateImages,
    arguments: [uriOf(project.configFile)],
  };
}

/** What a stage's last work left out, at the stage's own section; few lines, however much failed. */
export function failureFacts(project: Project, stages: readonly StageStatus[]): FactProblem[] {
  return stages.flatMap(({ stage, state, failures }): FactProblem[] => {
    if (!failures) return [];
    const { total, first } = failures;
    const named = first.slice(0, 3).map(lineOf);
    const left = total - named.length;
    const those = named.join("; ");
    return [
      {
        path: [stage],
        message:
          left > 0
            ? t("{0}: {1} failed. {2}; and {3} more", stage, count(total), those, count(left))
            : t("{0}: {1} failed. {2}", stage, count(total), those),
        severity: state === "failed" ? "error" : "warning",
        code: "failures",
        fix: {
          title: t("Show failures"),
          kind: "command",
          command: commandIds.showFailures,
          arguments: [uriOf(project.configFile), stage],
        },
      },
    ];
  });
}

function imageFacts({ summary, index }: Catalog): FactProblem[] {
  const facts: FactProblem[] = [];
  if (summary.images > 0 && summary.failed > 0) {
    const [first] = index.failed();
    facts.push({
      path: ["images"],
      message: t(
        "{0} of {1} files cannot be read and are left out: {2}",
        summary.failed,
        summary.files,
        first ? `${first.path}: ${worded(kept(first.error))}` : "",
      ),
      severity: "warning",
      code: "unreadableImages",
    });
  }
  return facts;
}

/** Images may be missing, or come from elsewhere: told with the first of each. */
function placeFacts({ summary, index }: Catalog): FactProblem[] {
  const { unreadable = 0, name = 0, outside = 0 } = summary.places ?? {};
  const facts: FactProblem[] = [];
  const [unread] = index.places("unreadable", "name");
  if (unread) {
    const all = unreadable + name;
    const first = `${unread.path}: ${worded(kept(unread.reason))}`;
    facts.push({
      path: ["images"],
      message:
        all === 1
          ? t("A folder or name cannot be read, so that images may be missing: {0}", first)
          : t("{0} folders or names cannot be read, so that images may be missing: {1}", count(all), first),
      severity: "warning",
      code: "unreadablePlaces",
    });
  }
  const [out] = index.places("outside");
  if (out) {
    const first = `${out.path}: ${worded(kept(out.reason))}`;
    facts.push({
      path: ["images"],
      message:
        outside === 1
          ? t("A link leads out of the project's folder: {0}", first)
          : t("{0} links lead out of the project's folder: {1}", outside, first),
      severity: "info",
      code: "linksOutside",
    });
  }
  return facts;
}

function mosFacts(project: Project, catalog: Catalog): FactProblem[] {
  const { config } = project;
  if (!config.mos || catalog.mosProblemCount === 0 || catalog.mos.size === 0) return [];
  return [
    {
      path: ["mos", "file"],
      message: worded(uselessRows(config.mos.file, catalog)),
      severity: "warning",
      code: "mosRows",
    },
  ];
}

function splitFacts(project: Project, catalog: Catalog): FactProblem[] {
  const { config } = project;
  if (!config.mos || catalog.mos.size === 0) return [];
  const facts: FactProblem[] = [];
  const { split } = config.evaluate;
  const rated = ratedIn(catalog, split);
  if (rated < 3) {
    facts.push({
      path: ["evaluate", "split"],
      message: t("The {0} split has {1} rated images; at least 3 are needed to evaluate with.", split, rated),
      severity: "warning",
      code: "noTestImages",
      fix: {
        title: t("Rate images"),
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
  const consent = consentFacts(project);
  let problem: string | undefined;
  try {
    const resolved = resolveInterpreter(interpreter, project.root);
    // One that the config names may be any; the others were asked when they were set up or chosen.
    if (interpreter && !process.env.LEAF_PYTHON) problem = interpreters.problemOf(resolved);
  } catch (error) {
    if (!(error instanceof LeafError)) throw error;
    // Told by `consent`, where the program is named.
    if (error.code !== "consent") problem = worded(error.words.message);
  }
  if (problem === undefined) return consent;
  return [
    ...consent,
    {
      path: interpreter ? ["python", "interpreter"] : ["student"],
      message: sentence(problem),
      severity: interpreter ? "error" : "info",
      code: "environment",
      fix: {
        title: t("Set Up Training Environment (in {0})", managedEnvironmentDir()),
        kind: "command",
        command: commandIds.setUpEnvironment,
        arguments: [uriOf(project.configFile)],
      },
    },
  ];
}

/** What waits for the user's word: nothing is run to look at it. */
export function consentFacts(project: Project): FactProblem[] {
  return consentItems(project, "run")
    .filter((item) => !isApproved(item))
    .map((item) => ({
      path: item.path,
      message: t("Not approved yet: LEAF asks before it does this. {0}.", worded(item.words)),
      severity: "info",
      code: "consent",
    }));
}

/** Reasons are kept as they were told, in English; those of LEAF's own are known to the bundle. */
function lineOf({ file, other, line, reason }: ItemFailure): string {
  const where = other ? t("{0} and {1}", file, other) : line === undefined ? file : `${file}:${line}`;
  return `${where}: ${worded(kept(reason))}`;
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
