import { type Tab, TabInputCustom, TabInputText, type Uri, window } from "vscode";
import { isImagePath } from "./imageFiles.ts";

/** The image that the active editor shows, in whatever editor for images. */
export function activeImage(): Uri | undefined {
  const uri = uriOfTab(window.tabGroups.activeTabGroup.activeTab);
  return uri && uri.scheme === "file" && isImagePath(uri.path) ? uri : undefined;
}

function uriOfTab(tab: Tab | undefined): Uri | undefined {
  const input = tab?.input;
  return input instanceof TabInputCustom || input instanceof TabInputText ? input.uri : undefined;
}
