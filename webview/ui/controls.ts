import { css, html } from "lit";

/** Fields and bars that the image tabs share. */
export const controlStyles = css`
  select,
  input {
    font: inherit;
    height: 24px;
    padding: 1px 4px;
    border-radius: 3px;
  }
  /* The tab as a whole takes keys; what has the focus within it shows that itself. */
  :host(:focus-visible) {
    outline: none !important;
  }
  select {
    max-width: 100%;
    min-width: 0;
    color: var(--vscode-dropdown-foreground);
    background: var(--vscode-dropdown-background);
    border: 1px solid var(--vscode-dropdown-border, var(--vscode-contrastBorder, transparent));
  }
  input {
    color: var(--vscode-input-foreground);
    background: var(--vscode-input-background);
    border: 1px solid var(--vscode-input-border, var(--vscode-contrastBorder, transparent));
  }
  input::placeholder {
    color: var(--vscode-input-placeholderForeground);
  }
  input[type="number"] {
    width: 58px;
  }
  label,
  .field {
    display: inline-flex;
    align-items: center;
    gap: 4px;
    white-space: nowrap;
  }
  .bar {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 12px;
    padding: 4px 8px;
  }
  button {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    min-height: 24px;
    white-space: nowrap;
  }
  button.act {
    padding: 2px 10px;
    color: var(--vscode-button-secondaryForeground, var(--vscode-button-foreground));
    background: var(--vscode-button-secondaryBackground);
    border-color: var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
  }
  button.act:hover:not(:disabled) {
    background: var(--vscode-button-secondaryHoverBackground, var(--vscode-toolbar-hoverBackground));
  }
  button.act.first {
    color: var(--vscode-button-foreground);
    background: var(--vscode-button-background);
  }
  button.act.first:hover:not(:disabled) {
    background: var(--vscode-button-hoverBackground);
  }
  @media (max-width: 460px) {
    .bar > select {
      max-width: 46%;
    }
  }
  button.act:focus-visible {
    outline-offset: 2px;
  }
  kbd {
    font: inherit;
    font-size: 0.9em;
    min-width: 16px;
    padding: 0 4px;
    text-align: center;
    border: 1px solid currentColor;
    border-radius: 3px;
    opacity: 0.75;
  }
`;

/** A labelled choice; `changed` gets one of the values. */
export function choice<V extends string>(
  label: string,
  value: V,
  options: readonly (readonly [V, string])[],
  changed: (value: V) => void,
) {
  return html`<select
    aria-label=${label}
    title=${label}
    @change=${(event: Event) => changed((event.target as HTMLSelectElement).value as V)}
  >
    ${options.map(([one, words]) => html`<option value=${one} ?selected=${one === value}>${words}</option>`)}
  </select>`;
}

/** Two numbers, lowest and highest. Fields that are empty or no number leave the bound as it is. */
export function range(
  label: string,
  [low, high]: [number, number],
  { min, max, step }: { min: number; max: number; step: number },
  changed: (range: [number, number]) => void,
) {
  const field = (name: string, value: number, made: (value: number) => [number, number]) => html`<input
    type="number"
    aria-label=${name}
    min=${min}
    max=${max}
    step=${step}
    .value=${String(value)}
    @change=${(event: Event) => {
      const input = event.target as HTMLInputElement;
      const next = input.valueAsNumber;
      if (Number.isFinite(next)) changed(made(Math.min(max, Math.max(min, next))));
      else input.value = String(value);
    }}
  />`;
  return html`<span class="field" role="group" aria-label=${label}
    ><span>${label}</span>${field(`${label} ≥`, low, (value) => [value, Math.max(value, high)])}–${field(`${label} ≤`, high, (value) => [Math.min(value, low), value])}</span
  >`;
}
