import { l10n, type SecretStorage, window } from "vscode";
import { forgetUnboundKey, storeTeacherKey, teacherKeys, unboundTeacherKey } from "./keys.ts";

/**
 * A key of an earlier version, which was kept for no endpoint in particular: asks whether it is for this one. False: nothing is to be
 * started.
 */
export async function bindOldKey(secrets: SecretStorage, origins: readonly string[]): Promise<boolean> {
  const [origin] = origins;
  if (origin === undefined) return true;
  const old = await unboundTeacherKey(secrets);
  if (old === undefined || (await teacherKeys(secrets))[origin] !== undefined) return true;
  const use = l10n.t("Use It There");
  const forget = l10n.t("Forget It");
  const chosen = await window.showWarningMessage(
    l10n.t("Is the API key that you set earlier for {0}?", shownOrigin(origin)),
    {
      modal: true,
      detail: l10n.t("LEAF now keeps each key for one endpoint, and sends it to no other."),
    },
    use,
    forget,
  );
  if (chosen === undefined) return false;
  if (chosen === use) await storeTeacherKey(secrets, origin, old);
  await forgetUnboundKey(secrets);
  return true;
}

export function shownOrigin(origin: string): string {
  return origin === "server" ? l10n.t("the teacher's own server") : origin;
}
