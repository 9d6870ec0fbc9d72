import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { LeafError } from "../engine/base/errors.ts";
import { trainerProgress } from "../engine/base/progressTimer.ts";
import { openProject, type Project } from "../engine/config/project.ts";
import { allFailures } from "../engine/failures/list.ts";
import type { StageOptions } from "../engine/pipeline/stage.ts";
import type { FailureSummary } from "../protocol/failures.ts";
import type { Progress, ProgressSink } from "../protocol/progress.ts";
import { duration } from "../words/duration.ts";
import { count, figure } from "../words/figure.ts";
import { say } from "../words/text.ts";
import { t, worded } from "./locale.ts";
import { progressReporter } from "./progress.ts";
import { terminalJson, terminalLine, terminalText } from "./terminalText.ts";

/** Options that every command has. */
export interface GlobalOptions {
  config?: string;
  json?: boolean;
  verbose?: boolean;
}

export interface CliContext {
  options: GlobalOptions;
  signal: AbortSignal;
  onProgress: ProgressSink;
  /** What was under way when something is thrown. */
  lastStep: () => Progress | undefined;
  /** Ends the progress bar's line. */
  endProgress: () => void;
  /** Prints a result: with --json one document, else the text. */
  print: (result: unknown, text: string) => void;
  /** The same of work that may have left something out: with --json all of that stands in `failed`. */
  printWithFailures: <R extends { failures?: FailureSummary }>(result: R, text: string) => Promise<void>;
  /** A sentence for people, on stderr. */
  note: (message: string) => void;
}

export function createContext(options: GlobalOptions, signal: AbortSignal): CliContext {
  const progress = progressReporter(process.stderr);
  let last: Progress | undefined;
  const print = (result: unknown, text: string) => {
    progress.end();
    process.stdout.write(`${options.json ? terminalJson(result) : terminalText(text)}\n`);
  };
  return {
    options,
    signal,
    onProgress(told) {
      last = told;
      progress.report(told);
    },
    lastStep: () => last,
    endProgress: progress.end,
    print,
    async printWithFailures(result, text) {
      const { failures } = result;
      print(options.json && failures ? { ...result, failed: await allFailures(failures) } : result, text);
    },
    note(message) {
      progress.end();
      process.stderr.write(`${terminalText(message)}\n`);
    },
  };
}

/** Opens the project of --config, or the one config of the current folder. */
export async function findProject({ options }: CliContext): Promise<Project> {
  if (options.config) return openProject(options.config);
  if (existsSync("leaf.yaml")) return openProject("leaf.yaml");
  const others = (await readdir(".")).filter((name) => name.endsWith(".leaf.yaml"));
  if (others.length === 1) return openProject(others[0]!);
  const why =
    others.length === 0
      ? say`There is no leaf.yaml in this folder.`
      : say`There are several configs here (${others.join(", ")}).`;
  throw new LeafError("config", why, {
    file: path.resolve("leaf.yaml"),
    remedy:
      others.length === 0 ? say`Run \`leaf init\`, or name one with --config.` : say`Name one with --config.`,
  });
}

/** The project that a command is used in but does not need; undefined where there is none that can be read. */
export async function projectHere(context: CliContext): Promise<Project | undefined> {
  return findProject(context).catch((error) => {
    if (context.options.config || !(error instanceof LeafError)) throw error;
    return undefined;
  });
}

/** How stages report on the command line. */
export function stageOptions(context: CliContext): StageOptions {
  return {
    signal: context.signal,
    onProgress: context.onProgress,
    onNote: (message) => context.note(worded(message)),
    onWarning: (message) => context.note(t("warning: {0}", worded(message))),
    onTrainer(stage, message) {
      const progress = trainerProgress({ stage, message });
      if (progress) context.onProgress(progress);
      else if (message.type === "hello")
        context.note(
          t("{0}: trains on {1} ({2})", stage, message.deviceName || message.device, precisionText(message)),
        );
      else if (message.type === "metrics" && message.val?.srcc != null) {
        context.note(
          t(
            "{0}: epoch {1} · loss {2} · validation SRCC {3}, n = {4}",
            stage,
            message.epoch,
            figure(message.loss, 4),
            figure(message.val.srcc),
            count(message.val.n),
          ),
        );
      } else if (message.type === "done") {
        context.note(
          t(
            "{0}: trained in {1}, best epoch {2} of {3}",
            stage,
            duration(t, message.durationS),
            message.bestEpoch,
            message.epochs,
          ),
        );
      }
    },
  };
}

/** "cuda, bf16"; float32 needs no word. */
function precisionText({ device, amp }: { device: string; amp: string }): string {
  return amp === "off" ? device : `${device}, ${amp}`;
}

/** An aligned table of text. */
export function table(header: string[], cells: string[][]): string {
  const rows = cells.map((row) => row.map(terminalLine));
  const widths = header.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  return [line(header), widths.map((w) => "─".repeat(w)).join("  "), ...rows.map(line)].join("\n");
}
