import libraries from "../../python/leaf/no_telemetry.json" with { type: "json" };
import { withoutTeacherKeys } from "./teacherKeys.ts";

/** What keeps libraries from reporting home. The list, with who reads what, is one file that Python reads too. */
export const noTelemetry: Readonly<Record<string, string>> = Object.fromEntries(
  libraries.flatMap(({ variables }) => Object.entries(variables)),
);

/**
 * The environment of a process of LEAF's own: this one's and what the caller adds. Nothing reports home, whatever either says.
 * A variable set to undefined is left out.
 */
export function childEnvironment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...added, ...noTelemetry };
}

/** The same for a program that is not LEAF's own: the keys that the editor keeps are not for it. */
export function foreignEnvironment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return withoutTeacherKeys(childEnvironment(added));
}
