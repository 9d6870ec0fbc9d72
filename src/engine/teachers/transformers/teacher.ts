import type { TeacherAnswer, TeacherHello, TeacherOpen, TeacherQuestion } from "../../../protocol/teacher.ts";
import type { Text } from "../../../protocol/text.ts";
import { figure } from "../../../words/figure.ts";
import { marked, quoted, say } from "../../../words/text.ts";
import { LeafError, throwIfCancelled } from "../../base/errors.ts";
import { localFolder } from "../../base/hub.ts";
import type { TransformersTeacherConfig } from "../../config/teacher.ts";
import { tileBudget } from "../../config/tiles.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { minRatingMass } from "../judgement.ts";
import { type Prompts, resolvePrompts } from "../prompts.ts";
import type { PairPreference, PointJudgement, Teacher, TeacherImage, TeacherOptions } from "../teacher.ts";
import { countTokens, tokensOf } from "./count.ts";
import { identify, needModel } from "./identity.ts";
import { keptChild, openingOf, pace } from "./kept.ts";
import { imageMessage } from "./pixels.ts";

/** Who the teacher is, without starting Python. */
export async function transformersTeacherFingerprint(
  config: TransformersTeacherConfig,
  root: string,
): Promise<string> {
  return (await identify(config, root)).fingerprint;
}

/**
 * A multimodal LLM in a Python child of its own, started when it is first asked and again if it has ended since. Its model is
 * loaded then: what is wrong with model or device is told by the first judgement.
 */
export async function createTransformersTeacher(
  config: TransformersTeacherConfig,
  options: TeacherOptions,
): Promise<Teacher> {
  const { root } = options;
  const interpreter = resolveInterpreter(options.interpreter, root);
  const folder = localFolder(config.model, root);
  const { fingerprint, description } = await identify(config, root);
  needModel(config.model, folder);
  const { canvas: _, ...prompts } = resolvePrompts(config.prompts, config.model);
  const opening: TeacherOpen = {
    ...openingOf(config, folder),
    type: "open",
    precision: options.precision ?? "auto",
    quantize: config.quantize,
    attention: config.attention,
    featureMemory: config.featureMemory,
    maxTiles: tileBudget(config),
    prompts,
  };
  const child = keptChild<TeacherHello>(interpreter, opening, describe, options.onNote);

  async function ask(
    question: TeacherQuestion,
    images: TeacherImage[],
    signal?: AbortSignal,
  ): Promise<TeacherAnswer[]> {
    throwIfCancelled(signal);
    const byHash = new Map(images.map((image) => [image.hash, image]));
    const supply = (hash: string) => imageMessage(byHash.get(hash)!, config.maxSide, options.maxPixels);
    return child.ask(question, supply, signal);
  }

  return {
    kind: "transformers",
    fingerprint,
    description,
    ...pace(config),
    get about() {
      return child.about();
    },
    async judgePoints(images, signal) {
      if (images.length === 0) return [];
      const answers = await ask({ type: "points", images: images.map(hashOf) }, images, signal);
      return answers.map(pointJudgement);
    },
    async judgePairs(pairs, signal, orders = "both") {
      if (pairs.length === 0) return [];
      const hashes = pairs.map(([a, b]) => [a.hash, b.hash] as [string, string]);
      const answers = await ask({ type: "pairs", pairs: hashes, orders }, pairs.flat(), signal);
      return answers.map((answer) => pairPreference(answer, prompts));
    },
    async explain(images, signal) {
      if (images.length === 0) return [];
      const answers = await ask({ type: "explain", images: images.map(hashOf) }, images, signal);
      return answers.map((answer) => (answer.ok && !("text" in answer) ? unexpected() : answer));
    },
    async inspect(images, signal) {
      const [answer] = await ask({ type: "inspect", images: images.map(hashOf) }, images, signal);
      if (answer?.ok === false) throw new LeafError("input", quoted(answer.reason));
      if (!answer || !("rendered" in answer)) return unexpected();
      const { rendered, prefill, top, answers, mass } = answer;
      const parts = images.length === 1 ? prompts.point : prompts.pair;
      return { parts, rendered, prefill, top, answers, mass };
    },
    async estimate(work, sample, signal) {
      const sent = await imageMessage(sample, config.maxSide, options.maxPixels);
      if (sent.type !== "image") throw new LeafError("input", quoted("reason" in sent ? sent.reason : ""));
      const { model, local, revision, maxTiles } = opening;
      const sizes = [[sent.width, sent.height] as [number, number]];
      const measure = { v: 1, type: "measure", model, local, revision, maxTiles, prompts, sizes } as const;
      return { ...tokensOf(await countTokens(interpreter, measure, signal), work), cost: null };
    },
    close: child.close,
  };
}

const noNumber = marked("the model gave no number");

const hashOf = (image: TeacherImage) => image.hash;

function describe(name: string, hello: TeacherHello): Text {
  const features =
    hello.features === "reused"
      ? say`image features reused`
      : say`image features not reused (${hello.whyPlain ?? ""})`;
  const weights = hello.quantize === "none" ? hello.dtype : say`${hello.quantize} weights, ${hello.dtype}`;
  const line = say`${name} on ${hello.deviceName} (${hello.device}), ${weights}, ${hello.attention} attention, ${features}`;
  return hello.thinking === null ? line : say`${line}, ${say`thinking turned off by ${hello.thinking}`}`;
}

/** A judgement from the mass on the five words; the caller weighs whether there is enough of it. */
export function pointJudgement(answer: TeacherAnswer): PointJudgement {
  if (!answer.ok) return answer;
  if (!("masses" in answer)) return unexpected();
  const mass = sum(answer.masses);
  if (!Number.isFinite(mass)) return { ok: false, reason: noNumber };
  if (!(mass > 0)) return { ok: false, reason: marked("none of the answer is on the rating words") };
  const [excellent, good, fair, poor, bad] = answer.masses.map((part) => part / mass);
  return { ok: true, probabilities: [excellent!, good!, fair!, poor!, bad!], mass };
}

/** A preference from the mass on both letters, and on the tie, which is given half to each. */
export function pairPreference(answer: TeacherAnswer, { letters }: Pick<Prompts, "letters">): PairPreference {
  if (!answer.ok) return answer;
  if (!("ab" in answer)) return unexpected();
  for (const masses of [answer.ab, answer.ba ?? answer.ab]) {
    const mass = sum(masses);
    if (!Number.isFinite(mass)) return { ok: false, reason: noNumber };
    if (!(mass >= minRatingMass)) {
      const reason = `only ${figure(mass, 2)} of the answer is on ${letters.join(" and ")}`;
      return { ok: false, reason };
    }
  }
  return { ok: true, pAB: ofFirst(answer.ab), pBA: answer.ba === null ? null : 1 - ofFirst(answer.ba) };
}

function ofFirst(masses: number[]): number {
  return (masses[0]! + (masses[2] ?? 0) / 2) / sum(masses);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function unexpected(): never {
  throw new LeafError("failed", say`The teacher's process answered another question than it was asked.`);
}
