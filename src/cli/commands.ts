import type { Command } from "commander";
import type { Run } from "./run.ts";

export const description =
  "Label-efficient image quality assessment: label, distill, calibrate, evaluate, score.";

/** Adds its commands to the program. */
type Add = (program: Command, run: Run, signal: AbortSignal) => void;

/** Commands that are loaded together. */
interface Group {
  names: readonly string[];
  load: () => Promise<Add>;
}

/** In the order of `leaf --help`. Each is loaded only where it is asked for: all of them take several times as long as one. */
export const groups: readonly Group[] = [
  {
    names: ["init", "check", "runs", "clean", "env"],
    load: async () => (await import("./commands/project.ts")).addProjectCommands,
  },
  { names: ["trust"], load: async () => (await import("./commands/trust.ts")).addTrustCommand },
  { names: ["label"], load: async () => (await import("./commands/label.ts")).addLabelCommand },
  {
    names: ["distill", "calibrate", "evaluate", "join", "run"],
    load: async () => (await import("./commands/stages.ts")).addStageCommands,
  },
  // Apart: it is asked often, and loads no stage's work.
  { names: ["status"], load: async () => (await import("./commands/status.ts")).addStatusCommand },
  { names: ["labels"], load: async () => (await import("./commands/labels.ts")).addLabelsCommands },
  { names: ["ratings"], load: async () => (await import("./commands/ratings.ts")).addRatingsCommand },
  {
    names: ["score", "metrics", "export"],
    load: async () => (await import("./commands/data.ts")).addDataCommands,
  },
  { names: ["serve"], load: async () => (await import("./commands/serve.ts")).addServeCommand },
  { names: ["select", "refit"], load: async () => (await import("./commands/select.ts")).addSelectCommand },
  {
    names: ["reliability"],
    load: async () => (await import("./commands/reliability.ts")).addReliabilityCommand,
  },
  {
    names: ["servers", "supervise"],
    load: async () => (await import("./commands/servers.ts")).addServersCommand,
  },
  {
    names: ["heatmap", "report"],
    load: async () => (await import("./commands/explain.ts")).addExplainCommands,
  },
  {
    names: ["compare", "experiment"],
    load: async () => (await import("./commands/experiment.ts")).addExperimentCommand,
  },
  { names: ["teach"], load: async () => (await import("./commands/teach.ts")).addTeachCommand },
  {
    names: ["job"],
    load: async () => {
      const { addJobCommand } = await import("./commands/job.ts");
      return (program, _run, signal) => addJobCommand(program, signal);
    },
  },
  {
    names: ["completion"],
    load: async () => (await import("./commands/completion.ts")).addCompletionCommand,
  },
];

/** The group of the command that is asked for; all of them where it is none, or where only all can answer (`leaf help score`). */
export function groupsFor(argv: readonly string[]): readonly Group[] {
  const name = commandOf(argv);
  const found = groups.filter(({ names }) => name !== undefined && names.includes(name));
  return found.length > 0 ? found : groups;
}

/** The first word that is neither an option nor the config's name. */
function commandOf(argv: readonly string[]): string | undefined {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === "-c" || word === "--config") at++;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}
