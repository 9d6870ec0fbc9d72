import { vsCodeButton } from "@vscode/webview-ui-toolkit";
import { register } from "./toolkit.ts";

register(vsCodeButton());
