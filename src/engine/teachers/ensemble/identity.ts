import { createHash } from "node:crypto";
import { canonicalJson } from "../../base/keys.ts";
import type { EnsembleWeights } from "./weights.ts";

/** Raised whenever the code that combines labels changes what comes out. */
const codeVersion = 1;

export interface EnsembleIdentity {
  fingerprint: string;
  description: Record<string, unknown>;
}

/** Who several teachers are together: themselves, and what each has to say. */
export function identify(
  members: readonly { fingerprint: string; kind: string; model?: string }[],
  weights: EnsembleWeights,
): EnsembleIdentity {
  const judging = {
    kind: "ensemble",
    of: members.map(({ fingerprint }) => fingerprint),
    weights,
    codeVersion,
  };
  return {
    fingerprint: createHash("sha256").update(canonicalJson(judging)).digest("hex"),
    description: { ...judging, model: members.map(({ kind, model }) => model ?? kind).join(" + ") },
  };
}
