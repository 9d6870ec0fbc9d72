import { createHash } from "node:crypto";
import { canonicalJson } from "../../base/keys.ts";
import type { ClipTeacherConfig } from "../../config/teacher.ts";
import { modelIdentity } from "../transformers/identity.ts";
import { resolveAntonyms } from "./antonyms.ts";

/** Raised whenever the code between pixels and probabilities changes what comes out. */
const codeVersion = 1;

/** Who the teacher is: all that can change a judgement, without starting Python or reading the weights through. */
export async function identify(config: ClipTeacherConfig, root: string) {
  const description = {
    kind: "clip",
    ...(await modelIdentity(config, root)),
    dtype: config.dtype,
    maxSide: config.maxSide,
    noise: config.noise,
    quality: resolveAntonyms(config.prompts).quality,
    codeVersion,
  };
  return { fingerprint: createHash("sha256").update(canonicalJson(description)).digest("hex"), description };
}

/** Who the teacher is, without starting Python. */
export async function clipTeacherFingerprint(config: ClipTeacherConfig, root: string): Promise<string> {
  return (await identify(config, root)).fingerprint;
}
