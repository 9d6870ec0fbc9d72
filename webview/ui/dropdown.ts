import { vsCodeDropdown, vsCodeOption } from "@vscode/webview-ui-toolkit";
import { register } from "./toolkit.ts";

register(vsCodeDropdown(), vsCodeOption());
