import { l10n, window } from "vscode";
import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { teacherKeySecret } from "../settings.ts";

export function secretCommands({ context }: Leaf): Handlers {
  return {
    async [commandIds.setApiKey]() {
      const known = (await context.secrets.get(teacherKeySecret)) !== undefined;
      const key = await window.showInputBox({
        title: l10n.t("API key of the teacher's endpoint"),
        prompt: l10n.t(
          "Kept in the editor's secret storage, sent to no one but the endpoint of your config.",
        ),
        placeHolder: known ? l10n.t("A key is set. Leave this empty to forget it.") : undefined,
        password: true,
        ignoreFocusOut: true,
      });
      if (key === undefined) return;
      // followSettings hears of the change and tells the server.
      if (key.trim()) await context.secrets.store(teacherKeySecret, key.trim());
      else await context.secrets.delete(teacherKeySecret);
    },
  };
}
