import { html, type TemplateResult } from "lit";
import type { PanelTab } from "../../src/protocol/panel.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import "../gallery/tab.ts";
import type { Host } from "../host.ts";
import "../metrics/tab.ts";
import "../pairs/tab.ts";
import "../rate/tab.ts";
import "../run/tab.ts";
import "../runs/tab.ts";
import type { Focus } from "../tab.ts";

interface Given {
  host: Host;
  project: ProjectSnapshot;
  kept: unknown;
  focusOn: Focus | undefined;
  feed: EventTarget;
  onKeep: (event: CustomEvent) => void;
  onGo: (event: CustomEvent<{ tab: PanelTab; focus?: Focus }>) => void;
}

/** One template for each tab: a tag name is not data. */
export function tabElement(tab: PanelTab, given: Given): TemplateResult {
  const { host, project, kept, focusOn, feed, onKeep, onGo } = given;
  switch (tab) {
    case "run":
      return html`<leaf-run .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-run>`;
    case "pairs":
      return html`<leaf-pairs .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-pairs>`;
    case "metrics":
      return html`<leaf-metrics .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-metrics>`;
    case "gallery":
      return html`<leaf-gallery .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-gallery>`;
    case "rate":
      return html`<leaf-rate .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-rate>`;
    case "runs":
      return html`<leaf-runs .host=${host} .project=${project} .kept=${kept} .focusOn=${focusOn} .feed=${feed} @keep=${onKeep} @go=${onGo}></leaf-runs>`;
  }
}
