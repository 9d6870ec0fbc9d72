import { stringify } from "yaml";
import type { StageName } from "../../protocol/results.ts";
import { duration } from "../../words/duration.ts";
import { millions, tiny } from "../../words/figure.ts";
import { rangeText } from "../../words/score.ts";
import { english } from "../../words/translate.ts";
import type { Finding, ReportData, ReportTable } from "./data.ts";
import { type Html, html, name, section, table } from "./html.ts";

export function datasetSection({ dataset, config, evaluation }: ReportData): Html | null {
  if (!dataset) return null;
  const { images, failed, splits, rated, problems } = dataset;
  const from = Array.isArray(config.images) ? config.images.join(", ") : config.images;
  const facts: [string, Html | string][] = [
    ["Images", html`${images} in ${name(from)}${failed > 0 ? html`; ${failed} files cannot be read` : ""}`],
    ["Splits", `${splits.train} train, ${splits.val} val, ${splits.test} test`],
    ...(config.split.groupBy ? [["Grouped by", groupText(config.split.groupBy)] as [string, string]] : []),
    [
      "Human scores",
      config.mos && rated !== null
        ? html`${rated} images rated, on ${rangeText(english, config.mos.range)}${config.mos.lowerIsBetter ? ", lower is better" : ""} (${name(config.mos.file)})`
        : "none",
    ],
    ...(evaluation ? [["Evaluated", `${evaluation.n} ${evaluation.split} images`] as [string, string]] : []),
  ];
  return section(
    "Dataset",
    table([], facts),
    problems.length > 0 &&
      html`<p class="quiet">${problems.slice(0, 8).map((problem) => html`${name(problem)}<br>`)}</p>`,
    html`<p class="quiet">As the files were when this report was written.</p>`,
  );
}

function groupText(groupBy: NonNullable<ReportData["config"]["split"]["groupBy"]>): string {
  return typeof groupBy === "string" ? groupBy : groupBy.pattern;
}

const stageTitles: Record<StageName, string> = {
  label: "label",
  distill: "distill (TGD)",
  calibrate: "calibrate (CFT)",
  evaluate: "evaluate",
};

/** Which stage's output the figures stand on; equal keys mean equal inputs and settings. */
export function stagesSection({ run, card }: ReportData): Html {
  const rows = Object.entries(run.stages).map(([stage, entry]) => [
    stageTitles[stage as StageName] ?? stage,
    html`<code>${entry.key}</code>`,
    duration(english, entry.seconds),
  ]);
  const versions = [
    ...Object.entries(run.versions).map(([what, version]) => `${what} ${version}`),
    ...(card ? [`PyTorch ${card.provenance.torch}`, card.provenance.device] : []),
    ...(run.gitCommit ? [`commit ${run.gitCommit.slice(0, 12)}`] : []),
  ];
  return section(
    "How it was made",
    table(["Stage", "Key", "Time"], rows),
    card &&
      html`<p class="quiet">Student: ${name(card.model)}, ${millions(card.parameters)} parameters; ONNX differs from PyTorch by at most ${tiny(card.exportMaxDifference)}.</p>`,
    html`<p class="quiet">${versions.join(" · ")}</p>`,
  );
}

/** The resolved config without what is of one machine only, or secret. */
export function configSection({ config }: ReportData): Html {
  const { interpreter: _, ...python } = config.python;
  const text = stringify({ ...config, python }, { lineWidth: 100 });
  return section("Config", html`<pre class="config" dir="auto">${text}</pre>`);
}

export function findingsSection(findings: Finding[] | undefined): Html | null {
  if (!findings || findings.length === 0) return null;
  return section(
    "Findings",
    findings.map(
      ({ level, title, detail, remedy }) =>
        html`<h3><span class="${level}">${level === "note" ? "" : `${level}: `}</span>${title}</h3><p>${detail}</p>${remedy && html`<p class="quiet">${remedy}</p>`}`,
    ),
  );
}

export function tableSection({ title, note, header, rows }: ReportTable): Html {
  return section(title, table(header, rows), note && html`<p class="quiet">${note}</p>`);
}
