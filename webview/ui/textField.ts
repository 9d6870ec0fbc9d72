import { vsCodeTextField } from "@vscode/webview-ui-toolkit";
import { register } from "./toolkit.ts";

register(vsCodeTextField());
