export const themes = ["dark", "light", "highContrast"] as const;
export type Theme = (typeof themes)[number];

/** By their names in the editor's list, and the class of the workbench that each gives. */
export const colorThemes: Record<Theme, { id: string; label: string; base: string }> = {
  dark: { id: "Dark Modern", label: "Dark Modern", base: "vs-dark" },
  light: { id: "Light Modern", label: "Light Modern", base: "vs" },
  highContrast: { id: "Default High Contrast", label: "Dark High Contrast", base: "hc-black" },
};

/** A quiet editor: nothing that has to do with neither LEAF nor files comes up. */
export function userSettings(): Record<string, unknown> {
  return {
    "workbench.colorTheme": colorThemes.dark.id,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": false,
    "workbench.enableExperiments": false,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.layoutControl.enabled": false,
    "chat.disableAIFeatures": true,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoCheckUpdates": false,
    "extensions.autoUpdate": false,
    "extensions.ignoreRecommendations": true,
    "git.enabled": false,
    "remote.autoForwardPorts": false,
    "files.autoSave": "off",
    "files.simpleDialog.enable": true,
    "editor.minimap.enabled": false,
    "editor.quickSuggestions": { other: true, strings: true, comments: false },
    "window.confirmBeforeClose": "never",
    "window.commandCenter": false,
    // Who rates is asked once; a test is not there to answer.
    "leaf.rater": "Ada",
  };
}
