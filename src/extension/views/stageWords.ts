import type { ProjectSnapshot, StageFailures, StageSnapshot } from "../../protocol/project.ts";
import type { StageName } from "../../protocol/results.ts";
import { ago } from "../../words/duration.ts";
import { escapeMarkdown } from "../../words/escape.ts";
import { count } from "../../words/figure.ts";
import { kept } from "../../words/kept.ts";
import { progressLine } from "../../words/progress.ts";
import { rangeText } from "../../words/score.ts";
import { render } from "../../words/text.ts";
import type { Translate } from "../../words/translate.ts";
import { whyWords } from "../../words/why.ts";

/** A row of the Pipeline view, without vscode. */
export interface Row {
  id: string;
  label: string;
  description: string;
  /** Markdown. */
  tooltip: string;
  icon: string;
  /** Theme colour of the icon. */
  color?: string;
  /** What `when` clauses of menus see. */
  contextValue: string;
  stage?: StageName;
  children?: Row[];
  /** URI of what a click opens. */
  opens?: string;
}

export function stageTitle(stage: StageName, t: Translate): string {
  const titles = {
    label: t("Label"),
    distill: t("Distill"),
    calibrate: t("Calibrate"),
    evaluate: t("Evaluate"),
  };
  return titles[stage];
}

/** The stages of one project, after its images and human scores. */
export function pipelineRows(project: ProjectSnapshot, now: number, t: Translate): Row[] {
  if (project.invalid && project.stages.length === 0) return [invalidRow(project, project.invalid, t)];
  return [
    ...imagesRows(project, t),
    ...mosRows(project, t),
    ...project.stages.map((stage) => stageRow(project, stage, now, t)),
  ];
}

/** The list is a file that anybody may have written: nothing above the config's folder is opened by it. */
function isBelow(file: string): boolean {
  return !/^([\\/]|[a-z]:)/i.test(file) && !file.split(/[\\/]/).includes("..");
}

/** What a stage left out: the first ten by name, then all of them in a file. */
function failureRows(
  project: ProjectSnapshot,
  stage: StageName,
  { total, first, list }: StageFailures,
  t: Translate,
): Row[] {
  const rows = first.map((failure, at): Row => {
    const { file, other, line, reason } = failure;
    return {
      id: `${stage}.failure.${at}`,
      label: other ? t("{0} and {1}", file, other) : line === undefined ? file : `${file}:${line}`,
      description: render(kept(reason), t),
      tooltip: escapeMarkdown(render(kept(reason), t)),
      icon: "warning",
      color: "list.warningForeground",
      contextValue: "failure",
      ...(isBelow(file) && {
        opens: `${project.folder}/${file.split("/").map(encodeURIComponent).join("/")}`,
      }),
    };
  });
  if (list === null) return rows;
  const label = total > first.length ? t("Show all {0} failures", count(total)) : t("Show failures");
  return [
    ...rows,
    {
      id: `${stage}.failures`,
      label,
      description: "",
      tooltip: t("A file with one failure a line, as JSON"),
      icon: "list-unordered",
      contextValue: "failures",
      opens: list,
    },
  ];
}

export function stageRow(project: ProjectSnapshot, snapshot: StageSnapshot, now: number, t: Translate): Row {
  const { stage, state, reason, headline, run, updated, failures } = snapshot;
  const progress = runningProgress(project, snapshot);
  const why = whyWords(t, reason);
  const description =
    progress !== undefined
      ? progressLine(t, progress)
      : state === "stale"
        ? [t("stale"), why].filter(Boolean).join(": ")
        : state === "failed"
          ? [t("failed"), why].filter(Boolean).join(": ")
          : (headline ?? (why || t("not run yet")));
  // The words for labels count what failed by themselves.
  const left = failures && state === "fresh" && stage !== "label" && progress === undefined;
  const told = [
    `**${stageTitle(stage, t)}** · ${stateWord(progress !== undefined ? "running" : state, t)}`,
    why ? escapeMarkdown(why) : "",
    headline ? escapeMarkdown(headline) : "",
    failures ? failuresMarkdown(failures, t) : "",
    run && updated ? t("Run {0}, {1}", escapeMarkdown(run), ago(t, updated, now)) : "",
  ];
  return {
    id: stage,
    label: stageTitle(stage, t),
    description: left ? `${description} · ${t("{0} failed", count(failures.total))}` : description,
    tooltip: told.filter(Boolean).join("\n\n"),
    ...iconOf(progress !== undefined ? "running" : state, failures !== undefined),
    contextValue: `stage.${stage}.${project.job?.state === "running" ? "busy" : "idle"}`,
    stage,
    ...(failures && progress === undefined && { children: failureRows(project, stage, failures, t) }),
  };
}

/** Equal reasons with their count. */
function failuresMarkdown({ total, reasons }: StageFailures, t: Translate): string {
  const lines = reasons
    .slice(0, 5)
    .map((one) => `- ${count(one.count)} × ${escapeMarkdown(render(kept(one.reason), t))}`);
  return [t("{0} failed", count(total)), "", ...lines].join("\n");
}

/** The project's own row, where there are several. */
export function projectRow(project: ProjectSnapshot, t: Translate): Row {
  const running = project.job?.state === "running";
  const { reading } = project;
  return {
    id: "project",
    label: project.name,
    description: running
      ? progressLine(t, project.job?.progress ?? null)
      : (project.invalid ?? staleWords(project, t)),
    tooltip: escapeMarkdown(project.invalid ?? project.name),
    icon: running || reading ? "loading~spin" : project.invalid ? "error" : "file-code",
    color: project.invalid && !reading ? "list.errorForeground" : undefined,
    contextValue: `project.${running ? "busy" : "idle"}`,
  };
}

/** As the lens at the top of the config says it. */
function staleWords({ stages, stale }: ProjectSnapshot, t: Translate): string {
  if (stale === 0) return t("everything is fresh");
  const ranBefore = stages.some(({ updated }) => updated !== null);
  return ranBefore ? t("{0} stages stale", stale) : t("{0} stages to run", stale);
}

function invalidRow(project: ProjectSnapshot, invalid: string, t: Translate): Row {
  if (project.reading) {
    return {
      id: "reading",
      label: project.name,
      description: invalid,
      tooltip: escapeMarkdown(project.name),
      icon: "loading~spin",
      contextValue: "reading",
    };
  }
  return {
    id: "invalid",
    label: t("{0} cannot be used", project.name),
    description: invalid,
    tooltip: escapeMarkdown(invalid),
    icon: "error",
    color: "list.errorForeground",
    contextValue: "invalid",
  };
}

function imagesRows({ images, imagesName, scored, scorer }: ProjectSnapshot, t: Translate): Row[] {
  if (!images) return [];
  const usable = count(images.usable);
  const failed = images.failed > 0 ? t("{0} cannot be read", count(images.failed)) : "";
  const scoredWords =
    scorer && scored.total > 0
      ? t("{0} scored by {1}", count(scored.done), escapeMarkdown(render(scorer.title, t)))
      : "";
  return [
    {
      id: "images",
      label: t("Images"),
      description: [usable, failed].filter(Boolean).join(" · "),
      tooltip: [escapeMarkdown(imagesName), [usable, failed].filter(Boolean).join(" · "), scoredWords]
        .filter(Boolean)
        .join("\n\n"),
      icon: images.failed > 0 ? "warning" : "file-media",
      color: images.failed > 0 ? "list.warningForeground" : undefined,
      contextValue: "images",
    },
  ];
}

function mosRows({ mos }: ProjectSnapshot, t: Translate): Row[] {
  if (!mos) return [];
  const { file, rated, train, val, test, range } = mos;
  return [
    {
      id: "mos",
      label: t("Human scores"),
      description: `${count(rated)} · ${file}`,
      tooltip: [
        `**MOS** · ${escapeMarkdown(file)} · ${rangeText(t, range)}`,
        t("{0} for training, {1} for validation, {2} for the test", count(train), count(val), count(test)),
      ].join("\n\n"),
      icon: "account",
      contextValue: "mos",
    },
  ];
}

/** Progress of the stage that runs; null: it starts; undefined: another one runs, or none. */
function runningProgress({ job }: ProjectSnapshot, { stage, state }: StageSnapshot) {
  if (job?.state !== "running") return undefined;
  const at = job.progress?.stage;
  if (at === stage) return job.progress;
  if (job.kind === stage || (state === "running" && at === undefined)) return job.progress;
  return undefined;
}

function stateWord(state: StageSnapshot["state"], t: Translate): string {
  const words = {
    fresh: t("fresh"),
    stale: t("stale"),
    missing: t("not run yet"),
    running: t("running"),
    failed: t("failed"),
  };
  return words[state];
}

function iconOf(state: StageSnapshot["state"], failures: boolean): { icon: string; color?: string } {
  switch (state) {
    case "fresh":
      if (failures) return { icon: "warning", color: "list.warningForeground" };
      return { icon: "pass", color: "testing.iconPassed" };
    case "stale":
      return { icon: "circle-filled", color: "list.warningForeground" };
    case "missing":
      return { icon: "circle-outline" };
    case "running":
      return { icon: "loading~spin" };
    case "failed":
      return { icon: "error", color: "list.errorForeground" };
  }
}
