import { say, type Text } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { RunResult } from "./run.ts";

/** Whether the package is simply not in the indexes of pip's settings. */
export function isNotOffered({ stderr }: RunResult): boolean {
  return /No matching distribution found for|Could not find a version that satisfies/.test(stderr);
}

/** Why venv or pip failed, in its own words or in plainer ones. */
export function explainPip(doing: Text, { code, stdout, stderr }: RunResult): LeafError {
  const said = `${stdout}\n${stderr}`;
  const changed = /DO NOT MATCH THE HASHES[^\n]*\n\s*(\S+) from/.exec(said)?.[1];
  if (changed) {
    const message = say`${changed} is not the file that LEAF was locked to: its hash differs. It was not installed.`;
    return new LeafError("environment", message, {
      remedy: say`Ask who runs your package index why it serves another file, or run \`leaf env\` with another index (PIP_INDEX_URL).`,
    });
  }
  const lines = said.split("\n").map((line) => line.trim());
  const why = lines.findLast((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== "");
  return new LeafError("environment", say`Cannot ${doing}: ${why ?? say`exit ${code ?? ""}`}`, {
    remedy: say`Check the network and the disk, then run \`leaf env\` again.`,
  });
}
