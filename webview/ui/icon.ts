import { css, html, LitElement } from "lit";

/** Code points of the icon font, by codicon name: the font's own style sheet does not reach into components. */
export const codePoints = {
  add: 0xea60,
  "arrow-down": 0xea9a,
  "arrow-left": 0xea9b,
  "arrow-right": 0xea9c,
  "arrow-up": 0xeaa1,
  beaker: 0xea79,
  check: 0xeab2,
  chip: 0xec19,
  "chevron-right": 0xeab6,
  "circle-outline": 0xeabc,
  "circle-slash": 0xeabd,
  close: 0xea76,
  copy: 0xebcc,
  dashboard: 0xeacd,
  "debug-stop": 0xead7,
  diff: 0xeae1,
  discard: 0xeae2,
  edit: 0xea73,
  error: 0xea87,
  export: 0xebac,
  eye: 0xea70,
  "eye-closed": 0xeae7,
  "file-media": 0xeaea,
  filter: 0xeaf1,
  "folder-opened": 0xeaf7,
  "git-compare": 0xeafd,
  "go-to-file": 0xea94,
  "graph-line": 0xebe2,
  "graph-scatter": 0xebe3,
  history: 0xea82,
  info: 0xea74,
  lightbulb: 0xea61,
  loading: 0xeb19,
  "list-unordered": 0xeb17,
  "new-file": 0xea7f,
  pass: 0xeba4,
  "pass-filled": 0xebb3,
  pin: 0xeb2b,
  pinned: 0xeba0,
  play: 0xeb2c,
  question: 0xeb32,
  refresh: 0xeb37,
  rocket: 0xeb44,
  search: 0xea6d,
  "star-empty": 0xea6a,
  "star-full": 0xeb59,
  sync: 0xea77,
  table: 0xebb7,
  tag: 0xea66,
  warning: 0xea6c,
  "zoom-in": 0xeb81,
  "zoom-out": 0xeb82,
} as const;

export type IconName = keyof typeof codePoints;

/** `<leaf-icon name="play">`: decoration only; the words beside it say the same. `spin` turns it. */
class Icon extends LitElement {
  static override properties = { name: { type: String }, spin: { type: Boolean, reflect: true } };
  static override styles = css`
    :host {
      display: inline-block;
      font: normal normal normal 16px/1 codicon;
      width: 16px;
      height: 16px;
      text-align: center;
      vertical-align: text-bottom;
      user-select: none;
      flex: none;
    }
    :host([spin]) {
      animation: spin 1.5s steps(30) infinite;
    }
    @keyframes spin {
      to {
        transform: rotate(360deg);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      :host([spin]) {
        animation: none;
      }
    }
  `;
  declare name: IconName;
  declare spin: boolean;

  override connectedCallback(): void {
    super.connectedCallback();
    this.setAttribute("aria-hidden", "true");
  }

  protected override render() {
    return html`${String.fromCodePoint(codePoints[this.name] ?? 0x20)}`;
  }
}

customElements.define("leaf-icon", Icon);
