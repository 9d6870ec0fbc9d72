import { l10n, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import { shownOrigin } from "../consentText.ts";
import { forgetTeacherKey, forgetUnboundKey, storeTeacherKey, teacherKeys } from "../keys.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { pickProject } from "../projects/picker.ts";

export function secretCommands({ context, client, state }: Leaf): Handlers {
  const { secrets } = context;
  return {
    async [commandIds.setApiKey](target) {
      const config = await pickProject(state, target);
      if (!config) return;
      const { keyOrigins } = await client.request("leaf/consent", { config, work: "label" });
      const origin = await choose(keyOrigins);
      if (origin === undefined) return;
      const known = (await teacherKeys(secrets))[origin] !== undefined;
      const key = await window.showInputBox({
        title: l10n.t("API key for {0}", shownOrigin(origin, l10n.t)),
        prompt: l10n.t(
          "Kept in the editor's secret storage, sent to {0} and to no one else.",
          shownOrigin(origin, l10n.t),
        ),
        placeHolder: known ? l10n.t("A key is set. Leave this empty to forget it.") : undefined,
        password: true,
        ignoreFocusOut: true,
      });
      if (key === undefined) return;
      // followSettings hears of the change and tells the server.
      if (key.trim()) await storeTeacherKey(secrets, origin, key.trim());
      else await forgetTeacherKey(secrets, origin);
      await forgetUnboundKey(secrets);
    },
  };
}

/** The endpoint that a key is for: the config's only one, or the one that is picked. */
async function choose(origins: readonly string[]): Promise<string | undefined> {
  if (origins.length === 0) {
    void window.showInformationMessage(
      l10n.t(
        "This config's teacher takes no key from the editor: it has no endpoint, or names a variable by keyEnv.",
      ),
    );
    return undefined;
  }
  if (origins.length === 1) return origins[0];
  return window.showQuickPick([...origins], { placeHolder: l10n.t("Which endpoint is the key for?") });
}
