import { css } from "lit";

export const gridStyles = css`
  :host {
    overflow: hidden auto;
    contain: strict;
    outline: none;
  }
  .all {
    position: relative;
    overflow: hidden;
    outline: none;
  }
  .line {
    position: absolute;
    top: 0;
    left: 0;
    right: 0;
    display: grid;
    grid-template-columns: repeat(var(--columns), minmax(0, 1fr));
    contain: layout style;
  }
  .cell {
    position: relative;
    display: grid;
    grid-template-rows: minmax(0, 1fr) auto;
    gap: 2px;
    padding: 4px;
    height: var(--cell);
    border-radius: 4px;
    cursor: pointer;
    min-width: 0;
  }
  .cell:hover {
    background: var(--vscode-list-hoverBackground);
    outline: 1px dashed var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  .cell[aria-selected="true"] {
    background: var(--vscode-list-inactiveSelectionBackground);
    color: var(--vscode-list-inactiveSelectionForeground, inherit);
    outline: 1px solid var(--vscode-contrastActiveBorder, transparent);
    outline-offset: -1px;
  }
  :host(:focus-within) .cell[aria-selected="true"] {
    background: var(--vscode-list-activeSelectionBackground);
    color: var(--vscode-list-activeSelectionForeground, inherit);
  }
  .cell.focused {
    outline: 1px solid var(--vscode-contrastActiveBorder, var(--vscode-list-inactiveFocusOutline, var(--vscode-focusBorder)));
    outline-offset: -1px;
  }
  :host(:focus-within) .cell.focused {
    outline: 2px solid var(--vscode-focusBorder);
    outline-offset: -2px;
  }
  .picture {
    position: relative;
    min-height: 0;
  }
  img {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    object-fit: contain;
  }
  .blank {
    position: absolute;
    inset: 0;
    border-radius: 2px;
    background: var(--vscode-editorWidget-background);
  }
  .unreadable {
    position: absolute;
    inset: 0;
    display: grid;
    place-content: center;
    padding: 4px;
    font-size: 0.9em;
    text-align: center;
    color: var(--vscode-errorForeground);
  }
  .label {
    display: flex;
    align-items: center;
    gap: 5px;
    min-width: 0;
    height: 18px;
    white-space: nowrap;
  }
  .name {
    overflow: hidden;
    text-overflow: ellipsis;
    font-size: 0.92em;
  }
  .tick {
    position: absolute;
    top: 6px;
    right: 6px;
    width: 16px;
    height: 16px;
    line-height: 16px;
    text-align: center;
    border-radius: 8px;
    background: var(--vscode-button-background);
    color: var(--vscode-button-foreground);
    border: 1px solid var(--vscode-contrastBorder, transparent);
    box-sizing: content-box;
  }
`;
