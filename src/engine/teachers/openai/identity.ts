import { createHash } from "node:crypto";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { canonicalJson } from "../../base/keys.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { type Prompts, resolvePrompts } from "../prompts.ts";

/** Raised whenever the code between image and judgement changes what comes out. */
const codeVersion = 1;

export interface Identity {
  model: string;
  prompts: Prompts;
  fingerprint: string;
  description: Record<string, unknown>;
}

/**
 * Who judges: the model, what it is asked and what it sees. Not where it is served, nor how fast or at what price. Throws LeafError `config`
 * where two answers cannot be told apart.
 */
export function identify(config: OpenaiTeacherConfig): Identity {
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
  const { reason: _, ...judging } = prompts;
  const description = { kind: "openai", model, maxSide: config.maxSide, prompts: judging, codeVersion };
  const fingerprint = createHash("sha256").update(canonicalJson(description)).digest("hex");
  return { model, prompts, fingerprint, description };
}
