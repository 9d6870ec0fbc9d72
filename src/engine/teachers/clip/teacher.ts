import { LRUCache } from "lru-cache";
import type { ContrastiveHello, ContrastiveOpen } from "../../../protocol/teacher.ts";
import type { Text } from "../../../protocol/text.ts";
import { quoted, say } from "../../../words/text.ts";
import { LeafError, throwIfCancelled } from "../../base/errors.ts";
import { localFolder } from "../../base/hub.ts";
import type { ClipTeacherConfig } from "../../config/teacher.ts";
import { downloadItems } from "../../consent/items.ts";
import { requireApproved } from "../../consent/store.ts";
import { resolveInterpreter } from "../../python/environment.ts";
import { ratingWords } from "../judgement.ts";
import { pairOf, pointOf, type Quality } from "../latent.ts";
import type { Inspection, Teacher, TeacherImage, TeacherOptions } from "../teacher.ts";
import { needModel } from "../transformers/identity.ts";
import { keptChild, openingOf, pace } from "../transformers/kept.ts";
import { imageMessage } from "../transformers/pixels.ts";
import { qualityOf, reasonOf, resolveAntonyms } from "./antonyms.ts";
import { identify } from "./identity.ts";

/** Probabilities of the good texts: of the quality pairs, then of the attributes. */
type Seen = { ok: true; first: number[] } | { ok: false; reason: string };

/** Images remembered, so that an image's many pairs and its reason cost one look. */
const remembered = 100_000;

/**
 * A contrastive image-text model that is asked by opposite texts (CLIP-IQA, Wang et al., AAAI 2023), in a Python child that is
 * started when it is first asked. A pair is a function of the two images' own qualities: it costs nothing and holds no news.
 */
export async function createClipTeacher(
  config: ClipTeacherConfig,
  options: TeacherOptions,
): Promise<Teacher> {
  const { root } = options;
  const folder = localFolder(config.model, root);
  const { fingerprint, description } = await identify(config, root);
  needModel(config.model, folder);
  requireApproved(downloadItems(config, root).map((item) => ({ ...item, file: "", line: null })));
  const { quality, attributes } = resolveAntonyms(config.prompts);
  const opening: ContrastiveOpen = {
    ...openingOf(config, folder),
    type: "openContrastive",
    antonyms: [...quality, ...attributes.map(({ good, bad }) => [good, bad] as [string, string])],
  };
  const interpreter = resolveInterpreter(options.interpreter, root);
  const child = keptChild<ContrastiveHello>(
    interpreter,
    opening,
    (name, hello) => describe(name, hello, config.maxSide),
    options.onNote,
  );
  const known = new LRUCache<string, Seen>({ max: remembered });

  /** Each image once, however often it is among them. */
  async function look(images: TeacherImage[], signal?: AbortSignal): Promise<Map<string, Seen>> {
    throwIfCancelled(signal);
    const byHash = new Map(images.map((image) => [image.hash, image]));
    const found = new Map<string, Seen>();
    const missing: string[] = [];
    for (const hash of byHash.keys()) {
      const before = known.get(hash);
      if (before) found.set(hash, before);
      else missing.push(hash);
    }
    if (missing.length === 0) return found;
    const supply = (hash: string) => imageMessage(byHash.get(hash)!, config.maxSide, options.maxPixels);
    const answers = await child.ask({ type: "points", images: missing }, supply, signal);
    for (const [i, hash] of missing.entries()) {
      const answer = answers[i]!;
      if (answer.ok && !("first" in answer && answer.first.length === opening.antonyms.length))
        throw new LeafError(
          "failed",
          say`The teacher's process answered another question than it was asked.`,
        );
      found.set(hash, answer as Seen);
      // A refusal is not remembered: the next try may find the file mended.
      if (answer.ok) known.set(hash, answer as Seen);
    }
    return found;
  }

  function judged(seen: Seen): Quality {
    return seen.ok ? { ok: true, ...qualityOf(seen.first.slice(0, quality.length), config.noise) } : seen;
  }

  return {
    kind: "clip",
    fingerprint,
    description,
    ...pace(config),
    get about() {
      return child.about();
    },
    async judgePoints(images, signal) {
      const seen = await look(images, signal);
      return images.map(({ hash }) => pointOf(judged(seen.get(hash)!)));
    },
    async judgePairs(pairs, signal) {
      const seen = await look(pairs.flat(), signal);
      return pairs.map(([a, b]) => pairOf(judged(seen.get(a.hash)!), judged(seen.get(b.hash)!)));
    },
    async explain(images, signal) {
      const seen = await look(images, signal);
      return images.map(({ hash }) => {
        const one = seen.get(hash)!;
        return one.ok ? { ok: true, text: reasonOf(one.first.slice(quality.length), attributes) } : one;
      });
    },
    async inspect(images, signal) {
      const seen = await look(images, signal);
      const each = images.map(({ hash }) => {
        const one = seen.get(hash)!;
        if (!one.ok) throw new LeafError("input", quoted(one.reason));
        return { first: one.first, quality: judged(one) };
      });
      return inspection(each, opening.antonyms);
    },
    close: child.close,
  };
}

function describe(
  name: string,
  { device, deviceName, dtype, sees }: ContrastiveHello,
  maxSide: number,
): Text {
  const size =
    sees === "whole"
      ? say`whole pictures of at most ${maxSide} px`
      : say`pictures as its processor makes them`;
  return say`${name} on ${deviceName} (${device}), ${dtype}, ${size}`;
}

/** The texts as the question, the probability of each as the top tokens. */
function inspection(
  each: { first: number[]; quality: Quality }[],
  antonyms: ContrastiveOpen["antonyms"],
): Inspection {
  const [a, b] = each;
  const answers =
    a && b
      ? pairAnswers(a.quality, b.quality)
      : ratingWords.map((answer, i) => {
          const point = pointOf(a!.quality);
          return { answer, tokens: [], probability: point.ok ? point.probabilities[i]! : 0 };
        });
  const top = each.flatMap(({ first }) =>
    antonyms.flatMap(([good, bad], i) => [
      { token: good, probability: first[i]! },
      { token: bad, probability: 1 - first[i]! },
    ]),
  );
  return {
    parts: [
      ...each.map((_, i) => ({ type: "image" as const, image: i as 0 | 1 })),
      ...antonyms.map(([good, bad]) => ({ type: "text" as const, text: `${good} | ${bad}` })),
    ],
    rendered: null,
    prefill: null,
    top: top.sort((x, y) => y.probability - x.probability),
    answers,
    mass: answers.reduce((total, { probability }) => total + probability, 0),
  };
}

function pairAnswers(a: Quality, b: Quality) {
  const pair = pairOf(a, b);
  const p = pair.ok ? pair.pAB : 0.5;
  return [
    { answer: "first", tokens: [], probability: p },
    { answer: "second", tokens: [], probability: 1 - p },
  ];
}
