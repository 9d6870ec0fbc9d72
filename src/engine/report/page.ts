import { breakdownSection } from "./breakdownSection.ts";
import { curvesSection } from "./curvesSection.ts";
import type { ReportData } from "./data.ts";
import {
  configSection,
  datasetSection,
  findingsSection,
  stagesSection,
  tableSection,
} from "./factsSections.ts";
import { html, name } from "./html.ts";
import { imagesSection } from "./imagesSection.ts";
import { headline, metricsSection } from "./metricsSection.ts";
import { ratersTable } from "./ratersTable.ts";
import { scoreSection } from "./scoreSection.ts";
import { style } from "./style.ts";
import { transferSection } from "./transferSection.ts";

/** One HTML file that needs nothing else: no script, no network, pictures inside. */
export function reportPage(data: ReportData): string {
  const { run, configName, config, evaluation, card, created } = data;
  const what = evaluation
    ? `${evaluation.student === "calibrate" ? "Calibrated" : "Distilled"} student on ${evaluation.n} ${evaluation.split} images`
    : "Not evaluated";
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Image quality student ${run.id}</title>
<style>${{ markup: style }}</style>
</head>
<body>
<header>
<h1>Image quality student ${run.id}</h1>
<p class="quiet">${what} · ${name(config.student.model)} · teacher ${name(teacherText(config.teacher))} · ${name(configName)} · ${created.slice(0, 16).replace("T", " ")} UTC</p>
${headline(data)}
</header>
<main>
${findingsSection(data.findings)}
${metricsSection(data)}
${breakdownSection(evaluation?.breakdown)}
${scoreSection(data)}
${transferSection(evaluation?.transfer)}
${data.tables?.map(tableSection)}
${imagesSection(data)}
${curvesSection(data)}
${datasetSection(data)}
${data.dataset?.raters && tableSection(ratersTable(data.dataset.raters))}
${stagesSection({ ...data, card })}
${configSection(data)}
</main>
</body>
</html>
`;
  return page.markup;
}

/** Who judged, in a few words. */
export function teacherText(teacher: ReportData["config"]["teacher"]): string {
  if (teacher.kind === "ensemble") return `ensemble of ${teacher.of.map(teacherText).join(" and ")}`;
  return "model" in teacher && typeof teacher.model === "string"
    ? `${teacher.kind} ${teacher.model}`
    : teacher.kind;
}
