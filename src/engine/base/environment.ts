import libraries from "../../python/leaf/no_telemetry.json" with { type: "json" };

/** What keeps libraries from reporting home. The list, with who reads what, is one file that Python reads too. */
export const noTelemetry: Readonly<Record<string, string>> = Object.fromEntries(
  libraries.flatMap(({ variables }) => Object.entries(variables)),
);

/**
 * The environment of a process that LEAF starts: this one's and what the caller adds. Nothing reports home, whatever either says.
 * A variable set to undefined is left out.
 */
export function childEnvironment(added: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...added, ...noTelemetry };
}
