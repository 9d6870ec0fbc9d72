import type { Change } from "../../protocol/project.ts";
import type { StageName } from "../../protocol/results.ts";
import { canonicalJson } from "../base/keys.ts";
import { suitable } from "../config/recipes.ts";
import type { StageInputs } from "./plan/types.ts";

/** How an input of a stage is told. Without `facts` it is shown as it stands, under the config's own key. */
interface Told {
  key: string;
  /** A digest, which says nothing by itself: keys of the config that it comes from. */
  from?: readonly string[];
  /** Other inputs of the stage that change it: or of the config: where one of these is told, this is not. */
  with?: readonly string[];
  /** The key of a stage before this one. */
  upstream?: StageName;
}

const labelled = ["teacher", "label", "images", "maxMegapixels", "split"];
const distilled = [...labelled, "student", "distill"];

const told: Record<StageName, Record<string, Told>> = {
  label: {
    teacher: { key: "teacher", from: ["teacher"] },
    weights: { key: "teacher.weights", with: ["teacher"] },
    folds: {
      key: "ratings",
      from: ["teacher", "mos", "split", "calibrate.ratio", "calibrate.seed"],
      with: ["teacher", "weights"],
    },
    images: { key: "images", from: ["images", "maxMegapixels", "split"] },
    pairsPerImage: { key: "label.pairsPerImage" },
    pairs: { key: "label.pairs" },
    seed: { key: "label.seed" },
    orders: { key: "label.orders" },
    targets: {
      key: "teacher.prompts",
      from: ["teacher", "mos"],
      with: ["teacher", "images", "label.pairsPerImage", "label.pairs", "label.seed", "label.orders"],
    },
  },
  distill: {
    labels: { key: "labels", from: labelled, upstream: "label" },
    usable: { key: "labels", from: [], with: ["labels"] },
    pairs: { key: "labels", from: [], with: ["labels", "usable"] },
    targets: { key: "labels", from: ["mos"], with: ["labels", "usable", "label.minConfidence"] },
    human: { key: "overrides", from: [] },
    minConfidence: { key: "label.minConfidence", with: ["distill.loss.confidence"] },
    split: { key: "split", from: ["split"], with: ["labels"] },
    student: { key: "student" },
    views: { key: "student.input.views" },
    distill: { key: "distill" },
  },
  calibrate: {
    from: { key: "distilled", from: distilled, with: ["calibrate.from"], upstream: "distill" },
    student: { key: "student" },
    calibrate: { key: "calibrate" },
    rows: {
      key: "ratings",
      from: ["mos", "split", "calibrate.selection", "calibrate.ratio", "calibrate.seed"],
      with: ["calibrate.ratio", "calibrate.seed", "calibrate.validate", "mos.range", "mos.lowerIsBetter"],
    },
    range: { key: "mos.range" },
    lowerIsBetter: { key: "mos.lowerIsBetter" },
    targets: { key: "mos.score", from: ["mos", "split", "calibrate.ratio"], with: ["rows", "mos.score"] },
    networks: { key: "calibrate.from", with: ["calibrate.method"] },
    groups: { key: "split.groupBy", from: ["split.groupBy"], with: ["rows", "calibrate.method"] },
    reference: { key: "images", from: ["images", "split"], with: ["rows", "calibrate.method"] },
    refined: {
      key: "calibrate.refine",
      from: ["calibrate.refine", ...labelled],
      with: ["from", "rows", "reference", "calibrate.method"],
    },
  },
  evaluate: {
    student: { key: "calibrated", from: [...distilled, "calibrate", "mos"], upstream: "calibrate" },
    evaluate: { key: "evaluate" },
    truth: { key: "ratings", from: ["mos", "split"], with: ["evaluate.split"] },
    groups: { key: "split.groupBy", from: ["split"], with: ["truth"] },
    range: { key: "mos.range" },
    lowerIsBetter: { key: "mos.lowerIsBetter" },
    targets: { key: "mos.score", from: ["mos", "split"], with: ["truth", "mos.score"] },
  },
};

/**
 * What a stage would do otherwise than it did: the differences of its inputs, under the config's keys. Of an input that is a digest
 * the changes of the config that it comes from are told, where there are any. `upstream` says that an earlier stage's output is
 * another one; where `upstreamTold`, what comes from there is not told again.
 */
export function stageChanges(
  stage: StageName,
  [before, after]: [StageInputs, StageInputs],
  configs: [unknown, unknown],
  upstreamTold: boolean,
): { changes: Change[]; upstream: boolean } {
  const settings = configChanges(...configs);
  const differs = (input: string) =>
    canonicalJson(before[input] ?? null) !== canonicalJson(after[input] ?? null);
  const inputs = Object.keys(told[stage]).filter(differs);
  const plain = inputs.flatMap((input) => {
    const { key, from } = told[stage][input]!;
    return from ? [] : changesOf(before[input], after[input], [key]).filter(isChosen(...configs));
  });
  // What follows from another start than before is no change of its own.
  const start = methodChange(plain) ?? plain.find(({ key }) => key === "calibrate.from");
  const follows = ({ key }: Change) =>
    Object.values(told[stage]).some(
      (one) => one.key === key && !one.from && one.with?.some((other) => plain.some((c) => c.key === other)),
    );
  const known = start ? [start] : plain.filter((change) => !follows(change));
  const changes = [...known];
  for (const input of inputs) {
    const { key, from, with: others = [], upstream } = told[stage][input]!;
    if (
      !from ||
      (upstream && upstreamTold) ||
      others.some((one) => inputs.includes(one) || known.some((change) => change.key === one))
    )
      continue;
    const explained = settings.filter((change) => from.some((one) => isAtOrUnder(change.key, one)));
    changes.push(...(explained.length > 0 ? explained : [{ key }]));
  }
  return { changes: distinct(changes), upstream: inputs.some((input) => told[stage][input]!.upstream) };
}

/** Inputs of fine-tuning do not name it: they are as they were before there was another method. */
function methodChange(changes: readonly Change[]): Change | undefined {
  const found = changes.find(({ key }) => key === "calibrate.method");
  return found && { ...found, before: found.before ?? "fine-tune", after: found.after ?? "fine-tune" };
}

/** What somebody changed from one config to another: not what suits another student, where neither says anything. */
export function configChanges(before: unknown, after: unknown): Change[] {
  return changesOf(before, after).filter(isChosen(before, after));
}

function isChosen(...configs: [unknown, unknown]): (change: Change) => boolean {
  const suits = (config: unknown, key: string) => suitable(key.split("."), (path) => valueAt(config, path));
  return ({ key, before, after }) =>
    // Configs of before there were families lack keys.
    !((before === suits(configs[0], key) || before === null) && after === suits(configs[1], key));
}

function valueAt(config: unknown, path: string[]): unknown {
  return path.reduce<unknown>((part, key) => (isObject(part) ? part[key] : undefined), config);
}

/** Differences of two values by full name. */
function changesOf(before: unknown, after: unknown, at: string[] = []): Change[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changesOf(before[key], after[key], [...at, key]));
  }
  if (canonicalJson(before ?? null) === canonicalJson(after ?? null)) return [];
  return [{ key: at.join("."), before: before ?? null, after: after ?? null }];
}

function isAtOrUnder(key: string, section: string): boolean {
  return key === section || key.startsWith(`${section}.`);
}

function distinct(changes: Change[]): Change[] {
  return [...new Map(changes.map((change) => [change.key, change])).values()];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
