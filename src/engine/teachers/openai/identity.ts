import { createHash } from "node:crypto";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { canonicalJson } from "../../base/keys.ts";
import { redactConfig } from "../../base/redact.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { tileBudget } from "../../config/tiles.ts";
import { type Prompts, resolvePrompts } from "../prompts.ts";
import type { Manner } from "./capabilities.ts";
import { type Found, foundIn } from "./found.ts";

/** Raised whenever the code between image and judgement changes what comes out. */
const codeVersion = 1;

export interface Identity {
  model: string;
  prompts: Prompts;
  /** Who judges in this manner. */
  as(manner: Manner | undefined): { fingerprint: string; description: Record<string, unknown> };
  found: Found;
}

/**
 * Who judges: the model, what it is asked and what it sees, and how its label comes about where that is not by one look at its probabilities. Not
 * where it is served, nor how fast or at what price. `root`: folder of the config. Throws LeafError `config` where two answers cannot be told
 * apart.
 */
export function identify(config: OpenaiTeacherConfig, root: string): Identity {
  const model = config.model ?? config.serve?.model;
  if (model === undefined)
    throw new LeafError("config", say`The teacher's \`model\` is missing.`, {
      remedy: say`Name the model at the endpoint.`,
    });
  const prompts = resolvePrompts(config.prompts, model);
  for (const answers of [
    prompts.words,
    [...prompts.letters, ...(prompts.tie === null ? [] : [prompts.tie])],
  ]) {
    const folded = answers.map((answer) => answer.normalize("NFC").toLowerCase());
    const twice = folded.find((answer, i) => folded.indexOf(answer) !== i);
    if (twice !== undefined)
      throw new LeafError(
        "config",
        say`The teacher's answer “${twice}” is offered twice; case does not tell answers apart.`,
        {
          remedy: say`Change \`teacher.prompts\`.`,
        },
      );
  }
  const { reason: _, canvas, ...judging } = prompts;
  const tiles = tileBudget(config);
  const plain = {
    kind: "openai",
    model,
    maxSide: config.maxSide,
    ...(tiles !== null && { maxTiles: tiles }),
    prompts: judging,
    codeVersion,
    // A key that somebody put there is another's affair than who judges.
    ...(config.request && { request: redactConfig(config.request) }),
  };
  const as = (manner: Manner = {}) => {
    const { probabilities, pairs, ...thinking } = manner;
    const description = {
      ...plain,
      ...thinking,
      ...(probabilities && { probabilities, samples: config.samples }),
      ...(pairs && { pairs: canvas }),
    };
    return { fingerprint: digestOf(description), description };
  };
  const who = digestOf({ ...plain, probabilities: config.probabilities });
  return { model, prompts, as, found: foundIn(root, config, who) };
}

function digestOf(description: Record<string, unknown>): string {
  return createHash("sha256").update(canonicalJson(description)).digest("hex");
}
