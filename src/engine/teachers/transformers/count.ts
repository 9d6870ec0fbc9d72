import type { TeacherMeasure, TeacherMessage } from "../../../protocol/teacher.ts";
import { quoted, say } from "../../../words/text.ts";
import { LeafError, throwIfCancelled } from "../../base/errors.ts";
import { startLineChild } from "../../base/lineChild.ts";
import { pythonSource, trainerEnvironment } from "../../python/environment.ts";
import { cannotStart, lackedModule, lastLine } from "../../python/run.ts";
import type { Orders, Work } from "../teacher.ts";
import { parseTeacherMessage } from "./messages.ts";

/** Tokens of pictures, and of the text around them in each question. */
export type Tokens = Omit<Extract<TeacherMessage, { type: "tokens" }>, "v" | "type">;

/** Most tokens of a reason: REASON_TOKENS of judge.py. */
const reasonTokens = 24;

/** Asks the model's processor in a Python of its own; no weights are loaded. Throws LeafError `environment` with its own sentence. */
export async function countTokens(
  interpreter: string,
  measure: TeacherMeasure,
  signal?: AbortSignal,
): Promise<Tokens> {
  throwIfCancelled(signal);
  let told: TeacherMessage | undefined;
  const child = startLineChild(interpreter, ["-m", "leaf.teacher"], {
    cwd: pythonSource(),
    env: { ...trainerEnvironment(), ...(measure.local ? { HF_HUB_OFFLINE: "1" } : {}) },
    signal,
    parse: parseTeacherMessage,
    onMessage: (message) => {
      told = message;
    },
  });
  await child.send(measure);
  const { error } = await child.exit;
  throwIfCancelled(signal);
  if (error) throw cannotStart(interpreter, error);
  if (told?.type === "tokens") return told;
  if (told?.type === "error")
    throw new LeafError("environment", quoted(told.message), {
      remedy: told.remedy ? quoted(told.remedy) : undefined,
    });
  const said = lastLine(child.stderr()) || say`it said nothing`;
  throw (
    lackedModule(interpreter, child.stderr()) ??
    new LeafError("failed", say`The teacher's process ended without counting tokens: ${said}.`)
  );
}

/** Questions, and the tokens that are read and written for them, with images of the mean length. */
export function tokensOf(
  { images, point, pair, reason }: Tokens,
  work: Work,
): { requests: number; inputTokens: number; outputTokens: number } {
  const image = images.reduce((sum, one) => sum + one, 0) / images.length;
  const pairs = work.pairs * ordersOf(work.orders);
  return {
    requests: work.points + pairs + work.reasons,
    inputTokens: Math.round(
      work.points * (point + image) + pairs * (pair + 2 * image) + work.reasons * (reason + image),
    ),
    outputTokens: work.reasons * reasonTokens,
  };
}

function ordersOf(orders: Orders): number {
  return orders === "both" ? 2 : 1;
}
