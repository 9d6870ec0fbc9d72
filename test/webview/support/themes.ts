export const themes = ["dark", "light", "high-contrast"] as const;
export type Theme = (typeof themes)[number];

/** The class that the editor gives to a webview's body. */
export const themeClass = (theme: Theme): string => `vscode-${theme}`;
