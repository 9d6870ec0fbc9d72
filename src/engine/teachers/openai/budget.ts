import type { TextValue } from "../../../protocol/text.ts";
import { money } from "../../../words/figure.ts";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import type { Estimate } from "../teacher.ts";

/** Kinds of questions differ in what they cost. */
export type QuestionKind = "point" | "pair" | "reason" | "other";

export interface Tokens {
  input: number;
  output: number;
  /** Of the input what the server had read before; absent where it does not say. */
  cached?: number;
}

/** What one teacher spends, and where it must stop. */
export interface Budget {
  /**
   * Called before every request; `settle` with what it took, or without where that is not known. Throws LeafError `failed` instead of passing
   * the limit: a request counts as dear as the dearest of its kind so far until it is settled.
   */
  reserve(kind: QuestionKind): { settle(used?: Tokens): void };
  spent(): Estimate;
  costOf(tokens: Tokens): Estimate["cost"];
}

const nothing = { requests: 0, inputTokens: 0, outputTokens: 0 };

/** `before`: what was spent of the same limit already. */
export function createBudget(
  { price, limit }: Pick<OpenaiTeacherConfig, "price" | "limit">,
  before: Pick<Estimate, "requests" | "inputTokens" | "outputTokens"> = nothing,
): Budget {
  // What was spent before counts for the limit alone.
  const total = { requests: before.requests, input: before.inputTokens, output: before.outputTokens };
  const prefix = { cached: 0, of: 0 };
  const underWay = { input: 0, output: 0 };
  const dearest = new Map<QuestionKind, Tokens>();

  const amountOf = ({ input, output }: Tokens) =>
    price ? (input * price.input + output * price.output) / 1e6 : 0;
  const costOf = (tokens: Tokens) => (price ? { amount: amountOf(tokens), currency: price.currency } : null);

  function spent(): Estimate {
    const requests = total.requests - before.requests;
    const [input, output] = [total.input - before.inputTokens, total.output - before.outputTokens];
    return {
      requests,
      inputTokens: input,
      outputTokens: output,
      cost: costOf({ input, output }),
      ...(prefix.of > 0 && { prefix: { ...prefix } }),
    };
  }

  /** Which limit would be passed, in the words of the config. */
  function passed(next: Tokens): TextValue | undefined {
    const input = total.input + underWay.input + next.input;
    const output = total.output + underWay.output + next.output;
    if (limit?.requests !== undefined && total.requests + 1 > limit.requests)
      return say`${limit.requests} requests`;
    if (limit?.tokens !== undefined && input + output > limit.tokens) return say`${limit.tokens} tokens`;
    if (limit?.cost !== undefined && amountOf({ input, output }) > limit.cost)
      return `${limit.cost} ${price?.currency ?? ""}`.trim();
    return undefined;
  }

  return {
    spent,
    costOf,
    reserve(kind) {
      const expected = dearest.get(kind) ?? { input: 0, output: 0 };
      const which = passed(expected);
      if (which) {
        const cost = costOf(total);
        const paid = cost ? say` and ${money(cost)}` : "";
        throw new LeafError(
          "failed",
          say`The teacher's limit of ${which} is reached: ${total.requests} requests, ${total.input + total.output} tokens${paid} were spent.`,
          {
            remedy: say`Raise \`teacher.limit\` and run again; finished labels are kept and not asked again.`,
          },
        );
      }
      total.requests++;
      underWay.input += expected.input;
      underWay.output += expected.output;
      let open = true;
      return {
        settle(used) {
          if (!open) return;
          open = false;
          underWay.input -= expected.input;
          underWay.output -= expected.output;
          // Servers bill a request that broke off, or do not: assume that they do.
          const cost = used ?? expected;
          total.input += cost.input;
          total.output += cost.output;
          if (!used) return;
          if (used.cached !== undefined) {
            prefix.cached += used.cached;
            prefix.of += used.input;
          }
          const most = dearest.get(kind) ?? used;
          dearest.set(kind, {
            input: Math.max(most.input, used.input),
            output: Math.max(most.output, used.output),
          });
        },
      };
    },
  };
}
