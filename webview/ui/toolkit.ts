// @vscode/webview-ui-toolkit is archived: only files of this folder import it, one component each. Its badge and progress ring are
// left out: they set style attributes, which the page's content security policy refuses.
import { provideVSCodeDesignSystem } from "@vscode/webview-ui-toolkit";

type Components = Parameters<ReturnType<typeof provideVSCodeDesignSystem>["register"]>;

export function register(...components: Components): void {
  provideVSCodeDesignSystem().register(...components);
}
