/** Keys that the editor keeps, as JSON: origin to key. */
export const keptKeysName = "LEAF_TEACHER_KEYS";

/** The environment for programs that are not LEAF's own: those who need a key are told it by the config. */
export function withoutTeacherKeys(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { LEAF_TEACHER_KEY: _, [keptKeysName]: __, ...rest } = env;
  return rest;
}

/** Keys by what they were given for. Damaged text is none. */
export function keptKeys(env: NodeJS.ProcessEnv): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(env[keptKeysName] ?? "{}");
    if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, key]) => typeof key === "string"));
  } catch {
    return {};
  }
}
