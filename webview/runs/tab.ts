import { css, html, nothing, type PropertyValues } from "lit";
import type { ExperimentSummary } from "../../src/protocol/experiments.ts";
import type { Failure } from "../../src/protocol/jobs.ts";
import type { RunSummary } from "../../src/protocol/project.ts";
import type { RunCurves } from "../../src/protocol/server.ts";
import { Tab } from "../tab.ts";
import "../ui/button.ts";
import "../ui/dropdown.ts";
import "../ui/empty.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { throttled } from "../ui/throttle.ts";
import "../ui/waiting.ts";
import "./comparison.ts";
import "./experiments.ts";
import { configName, configsOf, type Sort } from "./figures.ts";
import "./runTable.ts";

interface Kept {
  sort?: Sort;
  selected?: string[];
  /** The run that all others are compared with; else each with the one before it of its config. */
  baseline?: string;
  /** The config whose runs are shown, `all` for all; else that of the panel. */
  config?: string;
  /** The experiment that is open; null for none. */
  experiment?: string | null;
}

const reloadMs = 1_000;
/** Each reads its file and its base. */
const reloadExperimentsMs = 2_000;

/** Runs beside one another: what changed, and what it did. */
class Runs extends Tab {
  static override properties = {
    ...Tab.properties,
    runs: { state: true },
    curves: { state: true },
    failure: { state: true },
    experiments: { state: true },
    noExperiments: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        padding: 12px 16px 24px;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 6px 16px;
        margin-bottom: 10px;
      }
      .hint {
        margin-top: 12px;
      }
      .part {
        margin-bottom: 30px;
      }
    `,
  ];
  /** undefined while they are asked for. */
  declare runs: RunSummary[] | undefined;
  declare curves: Map<string, RunCurves>;
  declare failure: Failure | undefined;
  /** undefined while they are asked for. */
  declare experiments: ExperimentSummary[] | undefined;
  /** Why they cannot be had; the runs are shown all the same. */
  declare noExperiments: Failure | undefined;
  #asked = -1;
  /** A project changes four times a second while a job runs; its runs hardly ever. */
  #reload = throttled(reloadMs, () => void this.#load());
  #reloadExperiments = throttled(reloadExperimentsMs, () => void this.#loadExperiments());

  override connectedCallback(): void {
    super.connectedCallback();
    this.curves = new Map();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#reload.stop();
    this.#reloadExperiments.stop();
  }

  get #kept(): Kept {
    return (this.kept as Kept | undefined) ?? {};
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { runs } = this.focusOn ?? {};
    if (changed.has("focusOn") && runs) this.keep({ ...this.#kept, selected: runs });
    if (this.project.revision !== this.#asked) {
      this.#asked = this.project.revision;
      this.#reload.ask();
    }
    // Their files are told of with the project as it was.
    if (changed.has("project")) this.#reloadExperiments.ask();
  }

  #loadExperiments = async () => {
    try {
      this.experiments = await this.host.request("leaf/experiments", { config: this.project.config });
      this.noExperiments = undefined;
    } catch (error) {
      this.noExperiments = failureOf(error);
    }
  };

  /** What was opened; else the one that runs, the one that ran last, the only one. */
  get #open(): string | null {
    const { experiment: kept } = this.#kept;
    const list = this.experiments ?? [];
    if (kept === null || list.some(({ experiment }) => experiment === kept)) return kept ?? null;
    const running = this.project.job?.state === "running" ? this.project.job.experiment : undefined;
    const [last] = list
      .filter(({ updated }) => updated !== null)
      .sort((a, b) => (a.updated! < b.updated! ? 1 : -1));
    return running ?? last?.experiment ?? (list.length === 1 ? list[0]!.experiment : null);
  }

  async #load() {
    try {
      const runs = await this.host.request("leaf/runs", { config: this.project.config });
      this.failure = undefined;
      this.runs = runs;
      await this.#loadCurves();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  /** Those that are selected and not known yet; a running one's grow. */
  async #loadCurves() {
    const wanted = this.#selected.filter(({ id, state }) => state === "running" || !this.curves.has(id));
    if (this.#selected.length < 2 || wanted.length === 0) return;
    const found = await Promise.all(
      wanted.map(async ({ id }) => {
        const curves = await this.host.request("leaf/curves", { config: this.project.config, run: id });
        return [id, curves] as const;
      }),
    );
    this.curves = new Map([...this.curves, ...found]);
  }

  get #selected(): RunSummary[] {
    return (this.#kept.selected ?? []).flatMap((id) => this.runs?.find((run) => run.id === id) ?? []);
  }

  protected override render() {
    const { runs, failure } = this;
    if (failure) return this.refusal(failure, this.#load);
    if (!runs || (!this.experiments && !this.noExperiments)) return html`<leaf-waiting></leaf-waiting>`;
    const list = runs.length === 0 ? this.#empty() : this.#list(runs);
    const experiments = this.#experiments();
    // Where there are none, how to begin one stands below.
    return this.experiments?.length
      ? html`${experiments}${list}`
      : html`<div class="part">${list}</div>${experiments}`;
  }

  #experiments() {
    const { host, noExperiments } = this;
    if (noExperiments)
      return html`<leaf-refusal
        class="part"
        .host=${host}
        .failure=${noExperiments}
        .folder=${this.project.folder}
        retriable
        @retry=${this.#loadExperiments}
      ></leaf-refusal>`;
    return html`<leaf-experiments
      class="part"
      .host=${host}
      .project=${this.project}
      .list=${this.experiments ?? []}
      .open=${this.#open}
      @open=${(event: CustomEvent<string | null>) => this.keep({ ...this.#kept, experiment: event.detail })}
    ></leaf-experiments>`;
  }

  /** Of what is chosen there may be nothing any more; a run of another config may be what the panel was opened for. */
  #configShown(runs: RunSummary[]): string {
    const { config } = this.#kept;
    if (config !== undefined && (config === "all" || runs.some((run) => run.config === config)))
      return config;
    const own = this.project.config;
    const elsewhere =
      this.#selected.some((run) => run.config !== own) || !runs.some((run) => run.config === own);
    return elsewhere ? "all" : own;
  }

  #configFilter(configs: string[], shown: string) {
    const { host } = this;
    if (configs.length < 2) return nothing;
    return html`<vscode-dropdown aria-label=${host.text("Config")} @change=${this.#chooseConfig}>
      <vscode-option value="all" ?selected=${shown === "all"}>${host.text("All configs")}</vscode-option>
      ${configs.map((config) => html`<vscode-option value=${config} ?selected=${config === shown}>${configName(config)}</vscode-option>`)}
    </vscode-dropdown>`;
  }

  #list(all: RunSummary[]) {
    const { host } = this;
    const text = host.text;
    const { sort = { key: "created", descending: true } } = this.#kept;
    const baseline = all.find(({ id }) => id === this.#kept.baseline)?.id;
    const selected = this.#selected;
    const configs = configsOf(all);
    const shown = this.#configShown(all);
    const runs = all.filter(({ config }) => shown === "all" || config === shown);
    const nameOf = ({ id, config }: RunSummary) =>
      configs.length > 1 ? `${id} · ${configName(config)}` : id;
    return html`<div class="head">
        <h2>${runs.length === 1 ? text("1 run") : text("{0} runs", runs.length)}</h2>
        <div class="row">
          ${this.#configFilter(configs, shown)}
          <span id="baseline" class="muted">${text("Differences are against")}</span>
          <vscode-dropdown aria-labelledby="baseline" @change=${this.#chooseBaseline}>
            <vscode-option value="" ?selected=${!baseline}>${configs.length > 1 ? text("the run before of the same config") : text("the run before")}</vscode-option>
            ${all.map((run) => html`<vscode-option value=${run.id} ?selected=${run.id === baseline}>${nameOf(run)}</vscode-option>`)}
          </vscode-dropdown>
        </div>
      </div>
      <leaf-run-table
        .host=${host}
        .runs=${runs}
        .all=${all}
        .selected=${selected.map(({ id }) => id)}
        .sort=${sort}
        .baseline=${baseline}
        @sort=${(event: CustomEvent<Sort>) => this.keep({ ...this.#kept, sort: event.detail })}
        @choose=${this.#choose}
        @pin=${this.#pin}
      ></leaf-run-table>
      ${
        selected.length >= 2
          ? html`<leaf-comparison .host=${host} .runs=${selected} .curves=${this.curves}></leaf-comparison>`
          : html`<p class="hint muted">${text("Select two or more runs to compare their configs and their curves.")}</p>`
      }`;
  }

  async #choose(event: CustomEvent<string[]>) {
    this.keep({ ...this.#kept, selected: event.detail });
    try {
      await this.#loadCurves();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  #chooseConfig(event: Event) {
    this.keep({ ...this.#kept, config: (event.target as HTMLInputElement).value });
  }

  #chooseBaseline(event: Event) {
    const run = (event.target as HTMLInputElement).value;
    // An option whose value is empty gives its words.
    this.keep({ ...this.#kept, baseline: this.runs?.find(({ id }) => id === run)?.id });
  }

  async #pin(event: CustomEvent<RunSummary>) {
    const { id, pinned } = event.detail;
    try {
      await this.host.request("leaf/pinRun", { config: this.project.config, run: id, pinned: !pinned });
      await this.#load();
    } catch (error) {
      this.failure = failureOf(error);
    }
  }

  #empty() {
    const text = this.host.text;
    const run = () => this.host.request("host/command", { command: "leaf.run", config: this.project.config });
    return html`<leaf-empty
      icon="list-unordered"
      heading=${text("No runs yet")}
      words=${text("Each run with another config adds a line here: what changed, and what it did to SRCC and PLCC.")}
    >
      <vscode-button @click=${run}>${text("Run Pipeline")}</vscode-button>
    </leaf-empty>`;
  }
}

customElements.define("leaf-runs", Runs);
