import type { CodeLens, Command, Range } from "vscode-languageserver/node";
import { isSeq } from "yaml";
import { keySpan, pairAt, type Span } from "../../engine/config/yamlDocument.ts";
import { commandIds } from "../../protocol/commands.ts";
import type { ProjectSnapshot, RunSummary, StageSnapshot } from "../../protocol/project.ts";
import { ago } from "../../words/duration.ts";
import { count } from "../../words/figure.ts";
import { progressLine } from "../../words/progress.ts";
import { whyWords } from "../../words/why.ts";
import { t } from "../locale.ts";
import { type ConfigDocument, itemSpan } from "./configDocument.ts";
import type { ConfigPath } from "./context.ts";

interface Known {
  snapshot: ProjectSnapshot;
  runs: RunSummary[];
  /** Milliseconds since 1970. */
  now: number;
}

/** Lenses of the whole pipeline at the top, and of each stage over its section; stages without a section join the top. */
export function codeLenses(config: ConfigDocument, known: Known | undefined): CodeLens[] {
  if (!known) return [];
  const { snapshot } = known;
  const top = config.range(0, 0);
  const lenses = at(top, pipelineLenses(snapshot));
  const placed: CodeLens[] = [];
  for (const stage of snapshot.stages) {
    const span = keySpan(pairAt(config.yaml, [stage.stage]));
    const commands = stageLenses(stage, known);
    if (span) placed.push(...at(config.range(...span), commands));
    else lenses.push(...at(top, named(stage.stage, commands)));
  }
  placed.push(...teacherLenses(config, snapshot));
  return [...lenses, ...placed];
}

/** A teacher with a prompt can be tried before all images are asked about. */
function teacherLenses(config: ConfigDocument, { config: uri, invalid }: ProjectSnapshot): CodeLens[] {
  if (invalid !== null) return [];
  const { yaml } = config;
  const dryRun = (place: ConfigPath, span: Span | undefined, ...member: number[]) => {
    const kind = yaml.getIn([...place, "kind"]);
    if (!span || (kind !== "openai" && kind !== "transformers" && kind !== "clip")) return [];
    const title = `$(beaker) ${t("Dry run on {0} images", 3)}`;
    return at(config.range(...span), [lens(title, commandIds.dryRun, uri, ...member)]);
  };
  const of = yaml.getIn(["teacher", "of"], true);
  // Each teacher of an ensemble by itself, over its own lines.
  if (yaml.getIn(["teacher", "kind"]) === "ensemble" && isSeq(of))
    return of.items.flatMap((item, i) => {
      const place = ["teacher", "of", i];
      return dryRun(place, itemSpan(item, place), i + 1);
    });
  return dryRun(["teacher"], keySpan(pairAt(yaml, ["teacher"])));
}

function pipelineLenses(snapshot: ProjectSnapshot): Command[] {
  const { config, invalid, reading, stages, stale, job } = snapshot;
  const panel = lens(t("Open IQA Panel"), commandIds.openPanel, config);
  if (job?.state === "running")
    return [
      lens(`$(debug-stop) ${t("Stop")} · ${progressLine(t, job.progress)}`, commandIds.stop, config),
      panel,
    ];
  if (invalid) return [told(`${reading ? "$(sync~spin)" : "$(warning)"} ${invalid}`)];
  if (stale === 0) return [told(`$(check) ${t("everything is fresh")}`), panel];
  const before = stages.some(({ updated }) => updated !== null);
  const left = before
    ? stale === 1
      ? t("1 stage stale")
      : t("{0} stages stale", stale)
    : stale === 1
      ? t("1 stage to run")
      : t("{0} stages to run", stale);
  return [lens(`$(play) ${t("Run all")} · ${left}`, commandIds.run, config), panel];
}

function stageLenses(stage: StageSnapshot, known: Known): Command[] {
  const { config, job, invalid, cluster } = known.snapshot;
  const blocked = job?.state === "running" || invalid !== null;
  const run = blocked ? [] : [lens(`$(play) ${t("Run")}`, commandIds[stage.stage], config)];
  if (!blocked && cluster && stage.stage === "label")
    run.push(lens(`$(server) ${t("Label on cluster")}`, commandIds.labelOnCluster, config));
  switch (stage.state) {
    case "running":
      return [told(`$(sync~spin) ${job ? progressLine(t, job.progress) : t("running")}`)];
    case "fresh":
      return [result(stage, known), ...failures(stage, known), ...extras(stage, known), ...run];
    case "failed":
      return [
        lens(`$(error) ${t("failed")}${why(stage)}`, commandIds.showLog, config),
        ...failures(stage, known),
        ...run,
        ...last(stage, known),
        ...extras(stage, known),
      ];
    case "stale":
      return [
        told(`$(circle-filled) ${t("stale")}${why(stage)}`),
        ...run,
        ...last(stage, known),
        ...extras(stage, known),
      ];
    case "missing":
      return [told(`$(circle-outline) ${t("not run yet")}${why(stage)}`), ...run, ...extras(stage, known)];
  }
}

/** What a fresh stage came to; opens the tab that shows it whole. */
function result(stage: StageSnapshot, { snapshot, now }: Known): Command {
  const told = [stage.headline ?? t("done")];
  if (stage.stage === "evaluate") {
    if (stage.run) told.push(stage.run);
    if (stage.updated) told.push(ago(t, stage.updated, now));
  }
  const mark = stage.stage === "evaluate" ? "" : "$(check) ";
  return lens(`${mark}${told.join(" · ")}`, commandIds.openPanel, snapshot.config, tabs[stage.stage]);
}

/** What it left out, and where all of that stands. */
function failures({ stage, failures: left }: StageSnapshot, { snapshot }: Known): Command[] {
  if (!left) return [];
  const words = `$(warning) ${t("{0} failed", count(left.total))}`;
  return [left.list ? lens(words, commandIds.showFailures, snapshot.config, stage) : told(words)];
}

const tabs = { label: "pairs", distill: "run", calibrate: "run", evaluate: "metrics" } as const;

function last(stage: StageSnapshot, { snapshot }: Known): Command[] {
  if (!stage.headline) return [];
  return [lens(t("last: {0}", stage.headline), commandIds.openPanel, snapshot.config, tabs[stage.stage])];
}

function extras(stage: StageSnapshot, { snapshot, runs }: Known): Command[] {
  const { config } = snapshot;
  if (stage.stage === "label") {
    return stage.headline ? [lens(t("Review pairs"), commandIds.reviewPairs, config)] : [];
  }
  if (stage.stage === "calibrate") return [lens(ratingTitle(snapshot), commandIds.rateImages, config)];
  if (stage.stage !== "evaluate" || !stage.run) return [];
  const earlier = runBefore(stage.run, runs);
  return earlier
    ? [lens(t("Compare with {0}", earlier), commandIds.compareRuns, config, [earlier, stage.run])]
    : [];
}

/** Below this many ratings the panel proposes this many at once. */
const enoughRatings = 30;

function ratingTitle({ mos }: ProjectSnapshot): string {
  return (mos?.rated ?? 0) < enoughRatings ? t("Rate {0} images", enoughRatings) : t("Rate images");
}

/** The newest evaluated run that is older than this one. */
function runBefore(run: string, runs: RunSummary[]): string | undefined {
  const number = (id: string) => Number(id.replace(/^\D+/, ""));
  return runs
    .filter(({ id, evaluation }) => evaluation !== null && number(id) < number(run))
    .sort((a, b) => number(a.id) - number(b.id))
    .at(-1)?.id;
}

/** ": epochs 20 → 30" — the section's own name says the rest. */
function why({ stage, reason }: StageSnapshot): string {
  const words = whyWords(t, reason, stage);
  return words && `: ${words}`;
}

/** At the top of the file a stage says which one it is. */
function named(stage: string, [first, ...rest]: Command[]): Command[] {
  return first ? [{ ...first, title: `${stage}: ${first.title}` }, ...rest] : [];
}

function at(range: Range, commands: Command[]): CodeLens[] {
  return commands.map((command) => ({ range, command }));
}

function lens(title: string, command: string, config: string, ...rest: unknown[]): Command {
  return { title, command, arguments: [config, ...rest] };
}

/** A lens that only tells. */
function told(title: string): Command {
  return { title, command: "" };
}
