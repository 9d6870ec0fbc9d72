import { say } from "../../../words/text.ts";
import { originOf } from "../../base/endpoint.ts";
import { LeafError } from "../../base/errors.ts";
import { knowSecrets } from "../../base/redact.ts";
import { keptKeys } from "../../base/teacherKeys.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { ownServer } from "../../consent/needed.ts";

/**
 * The key for each endpoint: that of the variable which the config names, else the one that was given to the editor for just this
 * origin, else LEAF_TEACHER_KEY. Throws LeafError `environment`.
 */
export function keyFinder(
  { keyEnv, serve }: Pick<OpenaiTeacherConfig, "keyEnv" | "serve">,
  env: NodeJS.ProcessEnv,
): (url: string) => string | undefined {
  const named = keyEnv === undefined ? undefined : checked(env[keyEnv]);
  if (keyEnv !== undefined && !named)
    throw new LeafError(
      "environment",
      say`The environment variable ${keyEnv} that \`teacher.keyEnv\` names is not set.`,
      {
        remedy: say`Set ${keyEnv} to the key, or leave \`keyEnv\` out and set the key in the editor.`,
      },
    );
  const kept = keptKeys(env);
  const found = new Map<string, string | undefined>();
  return (url) => {
    if (named) return named;
    const origin = serve ? ownServer : originOf(url);
    if (!found.has(origin))
      found.set(origin, checked(Object.hasOwn(kept, origin) ? kept[origin] : env.LEAF_TEACHER_KEY));
    return found.get(origin);
  };
}

function checked(value: string | undefined): string | undefined {
  const key = value?.trim();
  if (!key) return undefined;
  // From here on no message, log or file has it.
  knowSecrets([key]);
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new LeafError("environment", say`The teacher's key has a character that no key can have.`, {
    remedy: say`Set it again.`,
  });
}
