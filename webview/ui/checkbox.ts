import { vsCodeCheckbox } from "@vscode/webview-ui-toolkit";
import { register } from "./toolkit.ts";

register(vsCodeCheckbox());
