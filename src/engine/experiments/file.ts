import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { inEnglish, say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { type Config, configJsonSchema, configSchema } from "../config/config.ts";
import {
  type ConfigProblem,
  type ExplainedIssue,
  explainIssues,
  loadConfig,
  nearestKey,
  type ParsedYaml,
  parseYaml,
  problemError,
  readConfigText,
} from "../config/read.ts";
import { withFormats } from "../mos/complete.ts";
import { detectFormats } from "../mos/detect.ts";
import { type Cell, configValue, expand, seedKeys, setsKey } from "./expand.ts";
import { isTree, locate } from "./overrides.ts";
import { type Experiment, experimentJsonSchema, experimentSchema } from "./schema.ts";
import { besideTarget, targetNames } from "./target.ts";

/** An experiment file and what it makes of its base config. */
export interface OpenExperiment {
  /** Absolute path. */
  file: string;
  /** "ratio" of `ratio.experiment.yaml`. */
  name: string;
  /** Absolute path of the base config, in the same folder. */
  base: string;
  experiment: Experiment;
  cells: Cell[];
  /** The resolved config of a row under a seed. */
  configOf(cell: Cell, seed: number): Config;
}

export type ParsedExperiment =
  | { ok: true; experiment: Experiment; cells: Cell[] }
  | { ok: false; problems: ConfigProblem[] };

/** More rows times seeds than this are a mistake. */
const mostTrials = 5000;

export function isExperimentFile(file: string): boolean {
  return /.\.experiment\.yaml$/.test(path.basename(file));
}

export function experimentName(file: string): string {
  return path.basename(file).replace(/\.experiment\.yaml$/, "");
}

/**
 * Parses the text of an experiment; with the value of its base config (YAML that leaf.yaml's schema accepts) every row's
 * overrides are checked too. Never throws: every problem comes back with its place.
 */
export function parseExperiment(text: string, base?: unknown): ParsedExperiment {
  const yaml = parseYaml(text);
  if (!yaml.ok) return yaml;
  const result = experimentSchema.safeParse(yaml.value, { reportInput: true });
  if (!result.success) {
    const problems = explainIssues(result.error.issues, yaml.value, experimentJsonSchema());
    return { ok: false, problems: problems.map(yaml.placed) };
  }
  const experiment = result.data;
  const found = problemsOf(experiment, yaml, base);
  if (found.length > 0) return { ok: false, problems: found };
  return { ok: true, experiment, cells: expand(experiment) };
}

function problemsOf(experiment: Experiment, yaml: ParsedYaml & { ok: true }, base: unknown): ConfigProblem[] {
  const at = (path: ExplainedIssue["path"], words: Text, suggestion?: string) =>
    yaml.placed({ path, message: inEnglish(words), words, kind: "value", suggestion, atKey: false });
  if (path.basename(experiment.base) !== experiment.base)
    return [at(["base"], say`\`base\` must be the name of a config beside this file`)];
  const count = Object.values(experiment.matrix ?? {}).reduce(
    (n, { length }) => n * length,
    Math.max(1, Object.keys(experiment.arms ?? {}).length) * experiment.seeds.length,
  );
  if (count > mostTrials)
    return [at(["matrix"], say`${count} trainings are too many; at most ${mostTrials} are allowed`)];
  if (experiment.target !== undefined && base !== undefined) {
    const names = targetNames(configSchema.parse(base));
    if (!names.includes(experiment.target)) {
      const suggestion = nearestKey(experiment.target, names);
      const known = names.length > 0 ? say`there are ${names.join(", ")}` : say`there is no \`mos:\``;
      return [at(["target"], say`\`mos.score\` has no such target: ${known}`, suggestion)];
    }
  }
  let cells: Cell[];
  try {
    cells = expand(experiment);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const names = [
      ...Object.keys(experiment.arms ?? {}),
      ...expand({ ...experiment, compare: undefined }).map(({ name }) => name),
    ];
    const suggestion = nearestKey(experiment.compare!, names);
    const hint = suggestion
      ? say`did you mean \`${suggestion}\`?`
      : say`there are ${names.slice(0, 5).join(", ")}`;
    return [at(["compare"], say`\`compare\` names no arm: ${hint}`, suggestion)];
  }
  const beside = base !== undefined && besideTarget(experiment, configSchema.parse(base)) !== undefined;
  if (beside && cells.some(({ stage }) => stage === "teacher"))
    return [at(["target"], say`\`stage: teacher\` is evaluated on the main target only`)];
  const problems = cells.flatMap((cell) =>
    cellIssues(experiment, cell, base).map((issue) => {
      const where = placeOf(experiment, cell, issue.path);
      const key = where.at(-1);
      // A rule over several keys has no value to point at, but its arm's name.
      const atKey = typeof key === "string" && (issue.atKey || where.length <= 2);
      return yaml.placed({ ...issue, path: where, atKey, suggestion: whole(issue, key) });
    }),
  );
  // Rows share overrides, and the same mistake is one problem.
  const seen = new Set<string>();
  return problems.filter(({ message, line, column }) => {
    const key = `${line}:${column}:${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** The key that was meant as it is to be written: with the other parts of a dotted one. */
function whole({ path: at, suggestion }: ExplainedIssue, written: unknown): string | undefined {
  if (suggestion === undefined || typeof written !== "string") return suggestion;
  return written
    .split(".")
    .map((part) => (part === at.at(-1) ? suggestion : part))
    .join(".");
}

function cellIssues(experiment: Experiment, cell: Cell, base: unknown): ExplainedIssue[] {
  const overruled = seedKeys(experiment.resplit).filter((key) => setsKey(cell.overrides, key));
  if (overruled.length > 0) {
    return overruled.map((key) => issue(key.split("."), say`\`${key}\` is set by \`seeds\``));
  }
  if (base === undefined) return [];
  const value = configValue(base, cell, experiment.seeds[0]!, experiment.resplit);
  const result = configSchema.safeParse(value, { reportInput: true });
  if (!result.success) return explainIssues(result.error.issues, value, configJsonSchema());
  if (experiment.resplit && result.data.split.file !== undefined) {
    return [issue(["resplit"], say`\`resplit\` draws no other split: the config's split comes from a file`)];
  }
  return [];
}

function issue(at: ExplainedIssue["path"], words: Text): ExplainedIssue {
  return { path: at, message: inEnglish(words), words, kind: "value", atKey: false };
}

/** Where in the experiment file a path of the config was overridden, the nearest place there is. */
function placeOf(experiment: Experiment, cell: Cell, at: (string | number)[]): (string | number)[] {
  if (at[0] === "resplit") return at;
  if (cell.arm !== null) {
    const found = locate(experiment.arms?.[cell.arm] ?? {}, at);
    if (found && found.length > 0) return ["arms", cell.arm, ...found];
  }
  for (const [key, i] of Object.entries(cell.matrix)) {
    const found = locate({ [key]: experiment.matrix?.[key]?.[i] }, at);
    if (found) return ["matrix", key, i, ...found.slice(1)];
  }
  return cell.arm === null ? ["matrix"] : ["arms", cell.arm];
}

/** Reads an experiment and its base config. Throws a LeafError `config` naming file, line and column of the first problem. */
export async function openExperiment(name: string): Promise<OpenExperiment> {
  const file = path.resolve(name);
  const text = await readConfigText(file, say`Write one with \`leaf init --experiment components\`.`);
  const plain = parseExperiment(text);
  if (!plain.ok) throw problemError(file, plain.problems);
  const base = path.join(path.dirname(file), plain.experiment.base);
  await loadConfig(base); // The base's own faults are told as those of that file.
  const yaml = parseYaml(await readConfigText(base, say`Run \`leaf init\` to write one.`));
  const written = yaml.ok ? yaml.value : {};
  const value = withFormats(written, await detectFormats(written, path.dirname(base)));
  const parsed = parseExperiment(text, value);
  if (!parsed.ok) throw problemError(file, parsed.problems);
  const { experiment, cells } = parsed;
  return {
    file,
    name: experimentName(file),
    base,
    experiment,
    cells,
    configOf(cell, seed) {
      const result = configSchema.safeParse(configValue(value, cell, seed, experiment.resplit));
      if (result.success) return result.data;
      throw new LeafError("config", say`The arm ${cell.name} is no valid config.`, { file });
    },
  };
}

/** The value of a base config for `parseExperiment`; undefined while it is missing or wrong. */
export function baseValue(text: string): unknown {
  const yaml = parseYaml(text);
  return yaml.ok && isTree(yaml.value) && configSchema.safeParse(yaml.value).success ? yaml.value : undefined;
}
