/** The editor's chart colours, in the order in which series take them. */
export const palette = [
  "var(--vscode-charts-blue)",
  "color-mix(in srgb, var(--vscode-charts-red), var(--vscode-charts-yellow))",
  "var(--vscode-charts-green)",
  "var(--vscode-charts-purple)",
  "var(--vscode-charts-red)",
  "var(--vscode-charts-yellow)",
] as const;

export const colorOf = (index: number): string => palette[index % palette.length]!;
export const quiet = "var(--vscode-charts-lines)";
export const ink = "var(--vscode-charts-foreground)";
