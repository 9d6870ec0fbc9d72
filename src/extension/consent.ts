import { l10n, window } from "vscode";
import type { ConsentItem } from "../protocol/consent.ts";
import type { ConsentTarget } from "../protocol/server.ts";
import { consentText, shownOrigin } from "./consentText.ts";
import { bindOldKey } from "./keys.ts";
import type { Leaf } from "./leaf.ts";

/**
 * Before something is started that runs what a config names: shows exactly what, where it comes from, and asks once. The answer is kept on
 * this computer, for this content only. False: it is not to be started.
 */
export async function consented(
  leaf: Pick<Leaf, "client" | "context">,
  target: ConsentTarget,
): Promise<boolean> {
  const { items, keyOrigins } = await leaf.client.request("leaf/consent", target);
  if (items.length > 0) {
    const decision = await ask(items);
    if (!decision) return false;
    const digests = items.map(({ digest }) => digest);
    await leaf.client.request("leaf/approve", { ...target, digests, decision });
  }
  return bindOldKey(leaf.context.secrets, keyOrigins, askAboutOldKey);
}

async function askAboutOldKey(origin: string): Promise<"use" | "forget" | undefined> {
  const use = l10n.t("Use It There");
  const forget = l10n.t("Forget It");
  const chosen = await window.showWarningMessage(
    l10n.t("Is the API key that you set earlier for {0}?", shownOrigin(origin, l10n.t)),
    {
      modal: true,
      detail: l10n.t("LEAF now keeps each key for one endpoint, and sends it to no other."),
    },
    use,
    forget,
  );
  return chosen === use ? "use" : chosen === forget ? "forget" : undefined;
}

async function ask(items: ConsentItem[]): Promise<"allow" | "managed" | undefined> {
  const { message, detail } = consentText(items, l10n.t);
  const run = l10n.t("Run");
  const managed = l10n.t("Use Managed Environment");
  const buttons = items.some(({ kind }) => kind === "interpreter") ? [run, managed] : [run];
  const chosen = await window.showWarningMessage(message, { modal: true, detail }, ...buttons);
  if (chosen === run) return "allow";
  return chosen === managed ? "managed" : undefined;
}
