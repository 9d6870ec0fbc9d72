import { inEnglish, say } from "../../words/text.ts";
import type { LabelStore } from "../labels/labels.ts";
import { ownPairsOf, ownPoints } from "../labels/teacherAnswers.ts";
import { combinePairs, combinePoints } from "../teachers/ensemble/combine.ts";
import type { EnsembleIdentity } from "../teachers/ensemble/identity.ts";
import { type EnsembleWeights, weightsFor } from "../teachers/ensemble/weights.ts";
import type { Teacher } from "../teachers/teacher.ts";

/** One of several teachers, as its labels lie in the store. */
export interface Member {
  fingerprint: string;
  /** For messages. */
  name: string;
}

/**
 * Several teachers as one: what each has said is read from the store and combined. It asks nobody. An image or pair that one of them
 * has no label of fails, with that one's reason.
 */
export function storedEnsemble(
  store: LabelStore,
  members: readonly Member[],
  identity: EnsembleIdentity,
  weights: EnsembleWeights,
): Teacher {
  const failedPoints = once(() =>
    members.map(({ fingerprint }) => reasonsOf(store.failedPoints(fingerprint))),
  );
  const failedPairs = once(() =>
    members.map(
      ({ fingerprint }) =>
        new Map(Array.from(store.failedPairs(fingerprint), ({ a, b, reason }) => [`${a} ${b}`, reason])),
    ),
  );
  const lacking = (at: number, reason: string | undefined) => ({
    ok: false as const,
    reason:
      reason === undefined
        ? inEnglish(say`${members[at]!.name} has no label for it`)
        : `${members[at]!.name}: ${reason}`,
  });
  return {
    kind: "ensemble",
    ...identity,
    batchSize: 500,
    async judgePoints(images) {
      const hashes = images.map(({ hash }) => hash);
      const found = members.map(
        ({ fingerprint }) =>
          new Map(Array.from(ownPoints(store, fingerprint, hashes), (one) => [one.image, one])),
      );
      return hashes.map((hash) => {
        const own = found.map((one) => one.get(hash));
        const absent = own.findIndex((one) => !one || one.probabilities.some(Number.isNaN));
        if (absent >= 0) return lacking(absent, failedPoints()[absent]!.get(hash));
        const given = weightsFor(weights, [hash]);
        const combined = combinePoints(
          own.map((one, t) => ({ weight: given[t]!, probabilities: one!.probabilities })),
        );
        return { ok: true, ...combined, mass: Math.min(...own.map((one) => one!.mass)) };
      });
    },
    async judgePairs(pairs) {
      const hashes = pairs.map(([a, b]): [string, string] => [a.hash, b.hash]);
      const found = members.map(
        ({ fingerprint }) =>
          new Map(Array.from(ownPairsOf(store, fingerprint, hashes), (one) => [`${one.a} ${one.b}`, one])),
      );
      return hashes.map((pair) => {
        const key = pair.join(" ");
        const own = found.map((one) => one.get(key));
        const absent = own.findIndex((one) => !one);
        if (absent >= 0) return lacking(absent, failedPairs()[absent]!.get(key));
        const given = weightsFor(weights, pair);
        const combined = combinePairs(
          own.map((one, t) => ({ weight: given[t]!, pAB: one!.pAB ?? one!.p, pBA: one!.pBA })),
        );
        return { ok: true, ...combined };
      });
    },
    async explain(images) {
      return images.map(({ hash }) => {
        for (const { fingerprint } of members) {
          const text = store.reason(fingerprint, hash);
          if (text !== undefined) return { ok: true, text };
        }
        return { ok: false, reason: inEnglish(say`none of the teachers gave a reason`) };
      });
    },
    close: async () => {},
  };
}

function reasonsOf(failed: Iterable<{ image: string; reason: string }>): Map<string, string> {
  return new Map(Array.from(failed, ({ image, reason }) => [image, reason]));
}

function once<T>(work: () => T): () => T {
  let known: T | undefined;
  return () => (known ??= work());
}
