import { css } from "lit";

export const galleryLayout = css`
  :host {
    display: flex;
    flex-direction: column;
    height: 100%;
    min-height: 320px;
    overflow: hidden;
  }
  input[type="search"] {
    flex: 1 1 120px;
    max-width: 260px;
    min-width: 80px;
  }
  .total {
    margin-inline-start: auto;
  }
  .main {
    flex: 1 1 auto;
    min-height: 0;
    display: flex;
    border-top: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder, transparent));
  }
  .details > * {
    min-width: 0;
    min-height: 0;
  }
  leaf-image-grid {
    flex: 1 1 auto;
    min-width: 0;
    padding: 4px;
  }
  .details {
    display: grid;
    min-height: 0;
    overflow: hidden;
    flex: 0 0 clamp(200px, 26%, 320px);
    border-inline-start: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder, transparent));
  }
  leaf-refusal {
    margin: 4px 8px;
  }
  .acts {
    /* As high as its lines: long words of a language take two. */
    flex: none;
    gap: 2px 8px;
    min-height: 32px;
    border-top: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder, transparent));
  }
  .what {
    font-weight: 600;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    max-width: 40%;
  }
  .question {
    overflow-wrap: anywhere;
  }
  .asks {
    background: var(--vscode-inputValidation-warningBackground, var(--vscode-editorWidget-background));
  }
  .sizes {
    display: inline-flex;
  }
  @media (max-width: 620px) {
    .main {
      flex-direction: column;
    }
    .details {
      flex: 0 0 38%;
      border-inline-start: none;
      border-top: 1px solid var(--vscode-editorGroup-border, var(--vscode-contrastBorder, transparent));
    }
  }
`;
