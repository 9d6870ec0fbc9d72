import { realpathSync } from "node:fs";
import path from "node:path";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { errnoCode, LeafError } from "./errors.ts";

/** What names a folder or a file below `.leaf/`. Each comes from files and from clients, so each is checked where it becomes a path. */
export const idPatterns = {
  run: /^r[1-9]\d{0,8}$/,
  job: /^[0-9a-z]{1,10}-[0-9a-z]{1,32}$/,
  /** Of a stage's output, a server, a choice: see `keyOf`. */
  key: /^[0-9a-z]{1,64}$/,
  /** An image's: see `hashBytes`. */
  hash: /^[0-9a-f]{32}$/,
} as const;

export type IdKind = keyof typeof idPatterns;

export function isId(kind: IdKind, value: unknown): value is string {
  return typeof value === "string" && idPatterns[kind].test(value);
}

const names: Record<IdKind, Text> = {
  run: say`a run`,
  job: say`a job`,
  key: say`a stage's output`,
  hash: say`an image`,
};

/** The id itself. Throws LeafError `input` for anything else. */
export function checkedId(kind: IdKind, value: unknown): string {
  if (isId(kind, value)) return value;
  const given = typeof value === "string" ? JSON.stringify(value).slice(0, 80) : `A ${typeof value}`;
  throw new LeafError("input", say`${given} does not name ${names[kind]}.`, {
    remedy: kind === "run" ? say`Choose one that \`leaf runs\` lists.` : undefined,
  });
}

/**
 * A path below `.leaf/`, of names that were checked. Throws LeafError `input` where a link leads out of `.leaf/`: what is written
 * and deleted there would be somebody else's. `.leaf/` itself may be a link, as may what does not exist yet.
 */
export function inside(leaf: string, ...parts: string[]): string {
  const target = path.join(leaf, ...parts);
  const [root, real] = [realOf(leaf), realOf(target)];
  if (root === undefined || real === undefined || real === root || real.startsWith(root + path.sep))
    return target;
  throw new LeafError("input", say`${target} is a link that leads out of .leaf.`, {
    file: target,
    remedy: say`Remove the link; to keep .leaf on another disk, make .leaf itself the link.`,
  });
}

/** Of the deepest folder that exists; undefined where there is none. */
function realOf(target: string): string | undefined {
  for (let at = target; ; ) {
    try {
      return realpathSync(at);
    } catch (error) {
      const above = path.dirname(at);
      if (errnoCode(error) === "ELOOP" || above === at) return undefined;
      at = above;
    }
  }
}
