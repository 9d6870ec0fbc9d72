import type { SecretStorage } from "vscode";

/** Where the keys lie in the editor's secret storage: one for each origin, which is the only one that gets it. */
const prefix = "leaf.teacherKey:";
/** Versions before this one kept one key for whatever endpoint a config named. It is sent to no one. */
const unboundKey = "leaf.teacherKey";

export function isTeacherKey(name: string): boolean {
  return name === unboundKey || name.startsWith(prefix);
}

/** All keys by the origin that they were given for. */
export async function teacherKeys(secrets: SecretStorage): Promise<Record<string, string>> {
  const names = (await secrets.keys()).filter((name) => name.startsWith(prefix));
  const keys = await Promise.all(
    names.map(async (name) => [name.slice(prefix.length), await secrets.get(name)]),
  );
  return Object.fromEntries(keys.filter(([, key]) => key));
}

export async function storeTeacherKey(secrets: SecretStorage, origin: string, key: string): Promise<void> {
  await secrets.store(prefix + origin, key);
}

export async function forgetTeacherKey(secrets: SecretStorage, origin: string): Promise<void> {
  await secrets.delete(prefix + origin);
}

/** The key of an earlier version, until the user has said which endpoint it is for. */
export async function unboundTeacherKey(secrets: SecretStorage): Promise<string | undefined> {
  return secrets.get(unboundKey);
}

export async function forgetUnboundKey(secrets: SecretStorage): Promise<void> {
  await secrets.delete(unboundKey);
}

/**
 * A key of an earlier version, which was kept for no endpoint in particular, is given to one only if the user says so. Resolves to false
 * where nothing is to be started.
 */
export async function bindOldKey(
  secrets: SecretStorage,
  origins: readonly string[],
  ask: (origin: string) => Promise<"use" | "forget" | undefined>,
): Promise<boolean> {
  const [origin] = origins;
  if (origin === undefined) return true;
  const old = await unboundTeacherKey(secrets);
  if (old === undefined || (await teacherKeys(secrets))[origin] !== undefined) return true;
  const answer = await ask(origin);
  if (answer === undefined) return false;
  if (answer === "use") await storeTeacherKey(secrets, origin, old);
  await forgetUnboundKey(secrets);
  return true;
}
