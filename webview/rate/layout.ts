import { css } from "lit";

export const rateLayout = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 320px;
    overflow: hidden;
  }
  leaf-image-pane {
    flex: 1 1 auto;
    min-height: 120px;
  }
  leaf-refusal {
    margin: 4px 8px;
  }
  progress {
    flex: 1 1 80px;
    max-width: 240px;
    height: 6px;
    appearance: none;
    border: 1px solid var(--vscode-contrastBorder, var(--vscode-widget-border, transparent));
    border-radius: 3px;
    overflow: hidden;
    background: var(--vscode-editorWidget-background);
  }
  progress::-webkit-progress-bar {
    background: var(--vscode-editorWidget-background);
  }
  progress::-webkit-progress-value {
    background: var(--vscode-progressBar-background);
  }
  .saved {
    margin-inline-start: auto;
  }
  .hidden-why {
    cursor: help;
    text-decoration: underline dotted;
  }
  .first-file {
    padding: 2px 8px 4px;
  }
  .scale {
    display: grid;
    grid-template-columns: repeat(5, minmax(0, 1fr));
    gap: 4px;
    width: min(100%, 640px);
    margin: 0 auto;
    padding: 8px 8px 2px;
  }
  .scale button {
    justify-content: center;
    min-height: 34px;
  }
  .scale kbd {
    font-weight: 600;
  }
  .rest {
    justify-content: center;
    min-height: 32px;
  }
  .figures {
    display: grid;
    gap: 4px;
  }
  .next-steps {
    display: flex;
    flex-wrap: wrap;
    justify-content: center;
    gap: 8px;
  }
  @media (max-width: 460px) {
    .scale button {
      flex-direction: column;
      gap: 0;
      padding: 2px;
    }
    .optional {
      display: none;
    }
  }
`;
