export const themes = ["dark", "light", "high-contrast"] as const;
/** For pictures that change the theme of an open page, which costs little. */
export const allThemes = [...themes, "high-contrast-light"] as const;
export type Theme = (typeof allThemes)[number];

/** The classes that the editor gives to a webview's body; the light one of high contrast has both. */
export const themeClass = (theme: Theme): string =>
  theme === "high-contrast-light" ? "vscode-high-contrast vscode-high-contrast-light" : `vscode-${theme}`;
