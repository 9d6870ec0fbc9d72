import { css, html, LitElement } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { HostToPanel, PanelState, PanelTab } from "../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../src/protocol/project.ts";
import { tabTitles } from "../src/words/titles.ts";
import { tell } from "./feed.ts";
import type { connectHost } from "./host.ts";
import "./shell/begin.ts";
import { isRunning, openingState } from "./shell/opening.ts";
import "./shell/tabBar.ts";
import { tabOfKey } from "./shell/tabBar.ts";
import { tabElement } from "./shell/tabs.ts";
import type { Focus } from "./tab.ts";
import "./ui/dropdown.ts";
import { baseStyles } from "./ui/styles.ts";
import "./ui/waiting.ts";

/** The IQA panel: which project and which tab, and what each tab keeps. Only the open tab exists. */
export class App extends LitElement {
  static override properties = {
    projects: { state: true },
    place: { state: true },
    focusOn: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        height: 100%;
      }
      .panel {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      header {
        display: flex;
        align-items: end;
        flex-wrap: wrap-reverse;
        gap: 0 16px;
        padding: 0 12px;
        border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder));
        flex: none;
      }
      leaf-tab-bar {
        min-width: 0;
        max-width: 100%;
      }
      .project {
        margin-inline-start: auto;
        padding: 4px 0;
        min-width: 0;
        max-width: 100%;
      }
      .project span {
        display: block;
        padding: 3px 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      vscode-dropdown {
        min-width: 12em;
        max-width: 100%;
      }
      main {
        flex: 1 1 auto;
        min-height: 0;
        overflow: auto;
        /* What is only read out lies in here, not in the page, which would scroll beside it. */
        position: relative;
      }
    `,
  ];
  declare projects: ProjectSnapshot[] | undefined;
  declare place: PanelState;
  declare focusOn: Focus | undefined;
  #host!: ReturnType<typeof connectHost>;
  #feed = new EventTarget();

  /** Gives the app its editor and says that it listens. */
  connect(host: ReturnType<typeof connectHost>): void {
    this.#host = host;
    this.place = { config: null, tab: "run", tabs: {} };
    window.addEventListener("keydown", (event) => this.#onKey(event));
    host.ready();
  }

  receive(message: HostToPanel): void {
    switch (message.type) {
      case "init":
        this.#host.setContext(message.roots, message.strings);
        this.projects = message.projects;
        this.place = openingState(message.projects, this.#host.savedState() ?? message.state);
        break;
      case "projects":
        this.projects = message.projects;
        if (!this.#project) this.place = openingState(message.projects, this.place);
        break;
      case "jobEvents":
        if (message.config === this.place.config)
          tell(this.#feed, "jobEvents", { job: message.job, events: message.events });
        break;
      case "scoresChanged":
        tell(this.#feed, "scoresChanged", { uris: message.uris, all: message.all });
        break;
      case "show":
        this.#move(message.config ?? this.place.config, message.tab, message.focus);
        break;
    }
  }

  get #project(): ProjectSnapshot | undefined {
    return this.projects?.find(({ config }) => config === this.place.config);
  }

  #move(config: string | null, tab: PanelTab, focus?: Focus) {
    // What the tabs kept is about one project.
    const tabs = config === this.place.config ? this.place.tabs : {};
    this.focusOn = focus;
    this.#save({ config, tab, tabs });
  }

  #save(place: PanelState) {
    this.place = place;
    this.#host.saveState(place);
  }

  #onKey(event: KeyboardEvent) {
    const tab = tabOfKey(event);
    if (!tab || !this.#project) return;
    event.preventDefault();
    event.stopPropagation();
    this.#move(this.place.config, tab);
  }

  protected override render() {
    if (!this.projects) {
      return html`<leaf-waiting></leaf-waiting>`;
    }
    const project = this.#project;
    if (!project) return html`<leaf-begin .host=${this.#host}></leaf-begin>`;
    const { config, tab, tabs } = this.place;
    return html`<div class="panel">
      <header>
        <leaf-tab-bar
          .host=${this.#host}
          current=${tab}
          ?running=${isRunning(project)}
          @pick=${(event: CustomEvent<PanelTab>) => this.#move(config, event.detail)}
        ></leaf-tab-bar>
        ${this.#picker(project)}
      </header>
      <main role="tabpanel" aria-label=${tabTitles(this.#host.text)[tab]}>
        ${keyed(
          `${tab} ${config}`,
          tabElement(tab, {
            host: this.#host,
            project,
            kept: tabs[tab],
            focusOn: this.focusOn,
            feed: this.#feed,
            onKeep: (event) =>
              this.#save({ ...this.place, tabs: { ...this.place.tabs, [tab]: event.detail } }),
            onGo: (event) => this.#move(config, event.detail.tab, event.detail.focus),
          }),
        )}
      </main>
    </div>`;
  }

  /** What the page showed until now stands in the same place. */
  protected override updated() {
    if (this.projects) document.getElementById("outline")?.remove();
  }

  #picker(project: ProjectSnapshot) {
    if (this.projects!.length < 2) {
      return html`<div class="project muted"><span title=${project.name}>${project.name}</span></div>`;
    }
    const pick = (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      if (value !== this.place.config) this.#move(value, this.place.tab);
    };
    return html`<div class="project">
      <vscode-dropdown aria-label=${this.#host.text("Project")} .value=${project.config} @change=${pick}>
        ${this.projects!.map(
          ({ config, name }) =>
            html`<vscode-option value=${config} ?selected=${config === project.config}>${name}</vscode-option>`,
        )}
      </vscode-dropdown>
    </div>`;
  }
}

customElements.define("leaf-app", App);
declare global {
  interface HTMLElementTagNameMap {
    "leaf-app": App;
  }
}
