import { css } from "lit";

/** What every view of the panel shares; colours are the editor's own. */
export const baseStyles = css`
  :host {
    display: block;
    box-sizing: border-box;
    color: var(--vscode-foreground);
    font-family: var(--vscode-font-family);
    font-size: var(--vscode-font-size, 13px);
    line-height: 1.4;
  }
  :host([hidden]),
  [hidden] {
    display: none !important;
  }
  * {
    box-sizing: border-box;
  }
  h2,
  h3 {
    margin: 0;
    font-weight: 600;
  }
  h2 {
    font-size: 1.15em;
  }
  h3 {
    font-size: 1em;
  }
  p {
    margin: 0;
  }
  .muted {
    color: var(--vscode-descriptionForeground);
  }
  .figure {
    font-variant-numeric: tabular-nums;
  }
  .good {
    color: var(--vscode-testing-iconPassed, var(--vscode-charts-green));
  }
  .poor {
    color: var(--vscode-errorForeground);
  }
  .warning {
    color: var(--vscode-editorWarning-foreground);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px;
  }
  .grow {
    flex: 1 1 auto;
    min-width: 0;
  }
  .only-read {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  :focus-visible {
    outline: 1px solid var(--vscode-focusBorder);
    outline-offset: -1px;
  }
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: 1px solid transparent;
    border-radius: 4px;
    padding: 2px 4px;
    cursor: pointer;
  }
  button:hover:not(:disabled) {
    background: var(--vscode-toolbar-hoverBackground);
    outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  button:disabled {
    cursor: default;
    opacity: 0.5;
  }
  button[aria-pressed="true"] {
    background: var(--vscode-inputOption-activeBackground);
    color: var(--vscode-inputOption-activeForeground, inherit);
    border-color: var(--vscode-inputOption-activeBorder);
  }
  button.icon {
    display: inline-flex;
    padding: 2px;
  }
  button.link {
    border: 0;
    color: var(--vscode-textLink-foreground);
    padding: 0;
    border-radius: 0;
    text-align: start;
  }
  button.link:hover:not(:disabled) {
    background: none;
    color: var(--vscode-textLink-activeForeground);
    text-decoration: underline;
    outline: none;
  }
  vscode-button::part(control) {
    white-space: nowrap;
  }
`;

export const tableStyles = css`
  .scroll {
    overflow-x: auto;
  }
  table {
    border-collapse: collapse;
    width: 100%;
  }
  caption {
    text-align: start;
  }
  th,
  td {
    padding: 4px 8px;
    text-align: start;
    vertical-align: top;
    border-bottom: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder));
  }
  thead th {
    color: var(--vscode-descriptionForeground);
    font-weight: normal;
    white-space: nowrap;
    vertical-align: bottom;
  }
  tbody th {
    font-weight: normal;
  }
  td.number,
  th.number {
    text-align: end;
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
`;
