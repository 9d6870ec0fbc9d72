import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { RunResult } from "../base/processes.ts";

/** Whether the package is simply not in the indexes that pip or uv is set to. */
export function isNotOffered({ stdout, stderr }: RunResult): boolean {
  return [
    /No matching distribution found for|Could not find a version that satisfies/,
    /Because there (is|are) no versions? of|was not found in the (provided )?package (locations|registry)/,
  ].some((words) => words.test(`${stdout}\n${stderr}`));
}

/** Why venv, pip or uv failed, in its own words or in plainer ones. */
export function explainPip(doing: Text, { code, stdout, stderr }: RunResult): LeafError {
  const said = `${stdout}\n${stderr}`;
  const changed =
    /DO NOT MATCH THE HASHES[^\n]*\n\s*(\S+) from/.exec(said)?.[1] ??
    /Hash mismatch for `([^`]+)`/.exec(said)?.[1];
  if (changed) {
    const message = say`${changed} is not the file that LEAF was locked to: its hash differs. It was not installed.`;
    return new LeafError("environment", message, {
      remedy: say`Ask who runs your package index why it serves another file, or run \`leaf env\` with another index (PIP_INDEX_URL).`,
    });
  }
  const lines = said.split("\n").map((line) => line.trim());
  // uv says in a second line what the first comes from.
  const [, what, cause] = /^(?:error:| *×) *(.+)\n\s*(?:cause:|Caused by:|╰─▶) *(.+)/m.exec(said) ?? [];
  const why = what ? `${what}: ${cause}` : lastError(lines);
  return new LeafError("environment", say`Cannot ${doing}: ${why ?? say`exit ${code ?? ""}`}`, {
    remedy: say`Check the network and the disk, then run \`leaf env\` again.`,
  });
}

function lastError(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "");
}
