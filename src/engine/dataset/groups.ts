import vm from "node:vm";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";

const batch = 1000;
const timeoutMs = 2000;

/**
 * Group names from file paths by a regular expression with one capture group; undefined where it does not match. Runs the
 * expression under a time limit, since one like `(a+)+$` may take for ever: then, and for an invalid one, throws a
 * LeafError `config`.
 */
export function groupMatcher(pattern: string): (paths: string[]) => (string | undefined)[] {
  const invalid = (why: Text) =>
    new LeafError("config", say`${why}: ${pattern}`, {
      key: ["split", "groupBy"],
      remedy: say`Write a regular expression with one capture group, such as '^(.+)_[0-9]+'.`,
    });
  try {
    if (new RegExp(`${pattern}|`).exec("")?.length !== 2)
      throw invalid(say`\`split.groupBy.pattern\` must have exactly one capture group`);
    new RegExp(pattern);
  } catch (error) {
    if (error instanceof LeafError) throw error;
    throw invalid(say`\`split.groupBy.pattern\` is not a regular expression`);
  }
  // The code is constant; pattern and paths go in as data.
  const script = new vm.Script(
    "paths.map((path) => { const found = new RegExp(pattern).exec(path); return found ? found[1] : undefined; })",
  );
  return (paths) => {
    const groups: (string | undefined)[] = [];
    for (let at = 0; at < paths.length; at += batch) {
      const context = vm.createContext({ pattern, paths: paths.slice(at, at + batch) });
      try {
        groups.push(...(script.runInContext(context, { timeout: timeoutMs }) as (string | undefined)[]));
      } catch {
        throw invalid(say`\`split.groupBy.pattern\` takes too long on the file names`);
      }
    }
    return groups;
  };
}
