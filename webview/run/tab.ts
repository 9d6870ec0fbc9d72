import { css, html, nothing } from "lit";
import type { Failure, JobEvent, JobSnapshot } from "../../src/protocol/jobs.ts";
import type { PanelTab } from "../../src/protocol/panel.ts";
import { rate } from "../../src/words/progress.ts";
import { workTitle } from "../../src/words/titles.ts";
import { listen } from "../feed.ts";
import { Tab } from "../tab.ts";
import { failureOf } from "../ui/refusal.ts";
import { baseStyles } from "../ui/styles.ts";
import { throttled } from "../ui/throttle.ts";
import {
  addEvents,
  emptyJobView,
  type JobView,
  type TrainedStage,
  type Training,
  viewOfCurves,
} from "./jobView.ts";
import { createLog } from "./log.ts";
import "./logTail.ts";
import { neverRan } from "./outcome.ts";
import "./stepper.ts";
import "./trainingCharts.ts";
import "./whatComes.ts";

/** Five times a second is as fast as a person reads, and leaves the machine to the training. */
const redrawMs = 200;

/** How the pipeline goes: stages, curves, device, log. */
class Run extends Tab {
  static override properties = {
    ...Tab.properties,
    version: { state: true },
    failure: { state: true },
    stopping: { state: true },
  };
  static override styles = [
    baseStyles,
    css`
      :host {
        padding: 14px 16px 24px;
        container-type: inline-size;
      }
      .columns {
        display: grid;
        grid-template-columns: minmax(250px, 330px) minmax(0, 1fr);
        gap: 20px 32px;
        margin-top: 18px;
      }
      .more > * + * {
        margin-top: 22px;
      }
      .training > * + * {
        margin-top: 8px;
      }
      .facts {
        display: flex;
        flex-wrap: wrap;
        gap: 2px 18px;
      }
      @container (max-width: 700px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];
  declare version: number;
  declare failure: Failure | undefined;
  declare stopping: boolean;
  #view = emptyJobView();
  #log!: ReturnType<typeof createLog>;
  #job: string | undefined;
  /** Events that came while the job's earlier ones were asked for. */
  #early: JobEvent[] | undefined;
  #redraw = throttled(redrawMs, () => {
    this.version++;
  });
  #silence = () => {};
  /** Curves of the last run, where no job of now has any. */
  #past: { run: string; view: JobView } | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.version = 0;
    this.#log = createLog(this.host.text);
    this.#silence = listen(this.feed, "jobEvents", ({ job, events }) => this.#hear(job, events));
    void this.#load();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#silence();
    this.#redraw.stop();
  }

  async #load() {
    this.#early = [];
    this.failure = undefined;
    try {
      const { job, events } = await this.host.request("leaf/jobEvents", { config: this.project.config });
      this.#begin(job?.id);
      const last = events.at(-1)?.at ?? 0;
      this.#take([...events, ...this.#early.filter((event) => event.at > last)]);
    } catch (error) {
      this.failure = failureOf(error);
    }
    this.#early = undefined;
    await this.#loadPast();
  }

  async #loadPast() {
    const run = this.project.stages.findLast((stage) => stage.run !== null)?.run;
    if (!run || Object.keys(this.#view.training).length > 0 || this.#past?.run === run) return;
    try {
      const curves = await this.host.request("leaf/curves", { config: this.project.config, run });
      this.#past = { run, view: viewOfCurves(curves) };
      this.#redraw.ask();
    } catch {
      // The stages are told all the same.
    }
  }

  #hear(job: JobSnapshot, events: JobEvent[]) {
    if (this.#early) this.#early.push(...events);
    else {
      if (job.id !== this.#job) this.#begin(job.id);
      this.#take(events);
    }
  }

  #begin(job: string | undefined) {
    this.#job = job;
    this.#view = emptyJobView();
    this.#log = createLog(this.host.text);
    this.stopping = false;
  }

  #take(events: readonly JobEvent[]) {
    addEvents(this.#view, events);
    this.#log.add(events);
    if (events.some(({ type }) => type === "end")) this.stopping = false;
    if (Object.keys(this.#view.training).length > 0) this.#past = undefined;
    this.#redraw.ask();
  }

  protected override render() {
    const { host, project } = this;
    const { training } = this.#past?.view ?? this.#view;
    const stages = (["calibrate", "distill"] as const).filter((stage) => training[stage]);
    return html`<leaf-outcome
        .host=${host}
        .project=${project}
        ?stopping=${this.stopping && project.job?.state === "running"}
        @stop=${this.#stop}
        @go=${(event: CustomEvent<PanelTab>) => this.go(event.detail)}
      ></leaf-outcome>
      ${this.failure ? html`<leaf-refusal .host=${host} .failure=${this.failure} retriable @retry=${this.#load}></leaf-refusal>` : nothing}
      <div class="columns">
        <leaf-stepper .host=${host} .project=${project}></leaf-stepper>
        <div class="more">
          ${stages.map((stage) => this.#training(stage, training[stage]!))}
          ${stages.length > 0 ? nothing : this.#untrained()}
          ${this.#log.lines.length > 0 ? html`<leaf-log-tail .host=${host} .lines=${this.#log.lines}></leaf-log-tail>` : nothing}
        </div>
      </div>`;
  }

  #untrained() {
    const { host, project } = this;
    return neverRan(project) && !project.invalid
      ? html`<leaf-what-comes .host=${host} .project=${project} @go=${(event: CustomEvent<PanelTab>) => this.go(event.detail)}></leaf-what-comes>`
      : html`<p class="muted">${host.text("Loss and validation curves are drawn here while the student trains.")}</p>`;
  }

  #training(stage: TrainedStage, training: Training) {
    const text = this.host.text;
    const { hello, imagesPerS, epochs } = training;
    const title = workTitle(text, stage);
    const facts = [
      this.#past && text("Curves of run {0}", this.#past.run),
      hello && (hello.deviceName || hello.device),
      hello && hello.worldSize > 1 && text("{0} processes", hello.worldSize),
      hello && hello.amp !== "off" && text("mixed precision ({0})", hello.amp),
      imagesPerS && rate(text, imagesPerS, text("images")),
    ].filter((fact) => typeof fact === "string");
    return html`<section class="training" aria-label=${title}>
      <p class="facts muted">${facts.map((fact) => html`<span>${fact}</span>`)}</p>
      ${
        epochs.length > 0
          ? html`<leaf-training-charts .host=${this.host} heading=${title} .training=${training} .version=${this.version}></leaf-training-charts>`
          : html`<p class="muted">${text("{0}: the first epoch is under way.", title)}</p>`
      }
    </section>`;
  }

  async #stop() {
    this.stopping = true;
    try {
      await this.host.request("leaf/stop", { config: this.project.config });
    } catch (error) {
      this.stopping = false;
      this.failure = failureOf(error);
    }
  }
}

customElements.define("leaf-run", Run);
