import { createInterface } from "node:readline/promises";
import { LeafError } from "../engine/base/errors.ts";
import type { Project } from "../engine/config/project.ts";
import { notApproved, openConsent, remember } from "../engine/consent/needed.ts";
import type { ConsentItem, ConsentWork } from "../protocol/consent.ts";
import { say } from "../words/text.ts";
import type { CliContext } from "./context.ts";

type Named = Pick<Project, "config" | "root" | "configFile">;

/**
 * Shows what a config would run, or send a key to, and has not been approved yet, and asks once; the answer is remembered. Throws LeafError
 * `consent` where nobody can be asked, `cancelled` where the answer is no.
 */
export async function consented<T extends Named>(
  context: CliContext,
  project: T,
  work: ConsentWork,
  others: readonly Named[] = [],
): Promise<T> {
  const { items } = openConsent([project, ...others], work);
  if (items.length > 0) await ask(context, items);
  return project;
}

export async function ask(context: CliContext, items: readonly ConsentItem[]): Promise<void> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw notApproved(items[0]!, items.length - 1);
  context.note(["This config asks for what you have not approved yet:", ...items.map(itemText)].join("\n"));
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question("Approve it on this computer? [y/N] ", { signal: context.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new LeafError("consent", say`Not approved: nothing was run.`);
  } catch (error) {
    if (error instanceof LeafError) throw error;
    throw new LeafError("cancelled", say`Cancelled.`);
  } finally {
    terminal.close();
  }
  await remember(items, "allow");
}

export function itemText({ title, details, file, line }: ConsentItem): string {
  const where = `${file}${line === null ? "" : `:${line}`}`;
  return [`  ${title}`, ...details.map((one) => `    ${one}`), `    named in ${where}`].join("\n");
}
