import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import type { FailureSummary, ItemFailure } from "../../protocol/failures.ts";
import { failureSummary, itemFailure } from "../../protocol/schema/failures.ts";
import { isMissing, temporaryName, writeJson } from "../base/files.ts";
import { parseAs, readJsonAs } from "../base/json.ts";
import { redact } from "../base/redact.ts";
import { withoutName } from "./words.ts";

/** How many failures and reasons are told before a count stands for the rest. */
export const toldFailures = 10;
const bufferedLines = 1000;
/** Reasons that quote an answer may all differ. */
const mostReasons = 1000;
const otherReasons = "other reasons";

/** Takes in failures one by one; memory does not grow with them. */
export interface FailureList {
  add(failure: ItemFailure): void;
  /** Puts the list in place of an older one, and takes that away where nothing failed. Undefined: nothing failed. */
  finish(): Promise<FailureSummary | undefined>;
  /** As if nothing had been told. */
  discard(): void;
}

/** `failures.jsonl` holds all of a folder's failures, `failures.json` their summary. */
const names = { all: "failures.jsonl", summary: "failures.json" } as const;

/** The failures of a stage's output, or of a command (`.leaf/failures/<command>`). */
export function failuresIn(dir: string | null): FailureList {
  const file = dir && path.join(dir, names.all);
  const first: ItemFailure[] = [];
  const reasons = new Map<string, number>();
  let [total, lines]: [number, string[]] = [0, []];
  let opened: { name: string; fd: number } | undefined;
  /** A list that cannot be written must not hide what it lists. */
  let unwritable = file === null;

  const flush = () => {
    if (unwritable || lines.length === 0) return;
    try {
      if (!opened) {
        mkdirSync(path.dirname(file!), { recursive: true });
        const name = temporaryName(file!);
        opened = { name, fd: openSync(name, "wx") };
      }
      const bytes = Buffer.from(lines.join(""));
      for (let at = 0; at < bytes.length; ) at += writeSync(opened.fd, bytes, at);
    } catch {
      unwritable = true;
    }
    lines = [];
  };
  const close = (keep: boolean) => {
    if (!opened) return;
    closeSync(opened.fd);
    if (keep) renameSync(opened.name, file!);
    else rmSync(opened.name, { force: true });
    opened = undefined;
  };

  return {
    add(told) {
      const failure = { ...told, reason: redact(withoutName(told.reason, told.file)) };
      total++;
      if (first.length < toldFailures) first.push(failure);
      const { reason } = failure;
      const key = reasons.has(reason) || reasons.size < mostReasons ? reason : otherReasons;
      reasons.set(key, (reasons.get(key) ?? 0) + 1);
      if (lines.push(`${JSON.stringify(failure)}\n`) >= bufferedLines) flush();
    },
    async finish() {
      flush();
      try {
        close(!unwritable);
      } catch {
        unwritable = true;
      }
      if (total === 0) {
        if (dir) await forgetFailures(dir).catch(() => {});
        return undefined;
      }
      const most = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, toldFailures);
      const summary: FailureSummary = {
        total,
        first,
        reasons: most.map(([reason, count]) => ({ reason, count })),
        file: unwritable ? null : file,
      };
      if (dir) await writeJson(path.join(dir, names.summary), summary).catch(() => {});
      return summary;
    },
    discard() {
      [total, lines] = [0, []];
      close(false);
    },
  };
}

async function forgetFailures(dir: string): Promise<void> {
  for (const name of Object.values(names)) await rm(path.join(dir, name), { force: true });
}

/** What is left in a folder of the last work there; undefined where nothing failed. */
export async function readFailures(dir: string): Promise<FailureSummary | undefined> {
  const found = await readJsonAs<FailureSummary>(path.join(dir, names.summary), failureSummary).catch(
    () => undefined,
  );
  if (!found || found.total === 0) return undefined;
  // The project may have been moved since.
  return { ...found, file: found.file && path.join(dir, names.all) };
}

/** All failures of a list; the first ten where it cannot be read. */
export async function allFailures({ file, first }: FailureSummary): Promise<ItemFailure[]> {
  if (file === null) return first;
  try {
    const text = await readFile(file, "utf8");
    return text.split("\n").flatMap((line) => {
      const read = parseAs<ItemFailure>(line, itemFailure);
      return read.ok ? [read.value] : [];
    });
  } catch (error) {
    if (isMissing(error)) return first;
    throw error;
  }
}
