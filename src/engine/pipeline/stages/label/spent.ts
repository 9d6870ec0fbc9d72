import type { LabelResult, Spent } from "../../../../protocol/results.ts";
import type { Text } from "../../../../protocol/text.ts";
import { money } from "../../../../words/figure.ts";
import { counted, say } from "../../../../words/text.ts";
import type { Project } from "../../../config/project.ts";
import type { Teacher } from "../../../teachers/teacher.ts";
import type { LabelOptions, NamedLabels } from "./options.ts";

/** A teacher's limit holds for all that it is asked; those of an ensemble each have their own, by target. */
export function spentBefore(asked: readonly NamedLabels[], { config }: Project): Pick<LabelOptions, "spent"> {
  const all = config.teacher.kind === "ensemble" ? [] : asked.flatMap((one) => one.spent ?? []);
  return all.length > 0 ? { spent: sumOf(all) } : {};
}

export function spentTogether(
  { spent }: LabelResult,
  targets: readonly NamedLabels[],
): Pick<LabelResult, "spent"> {
  const all = [spent, ...targets.map((one) => one.spent)].filter((one) => one !== undefined);
  return all.length > 0 ? { spent: sumOf(all) } : {};
}

/** Money of one currency alone is added up. */
export function sumOf(spent: readonly Spent[]): Spent {
  const total = (of: (one: Spent) => number) => spent.reduce((sum, one) => sum + of(one), 0);
  const currencies = new Set(spent.map(({ cost }) => cost?.currency));
  const [currency] = currencies;
  const prefixes = spent.flatMap(({ prefix }) => prefix ?? []);
  return {
    requests: total(({ requests }) => requests),
    inputTokens: total(({ inputTokens }) => inputTokens),
    outputTokens: total(({ outputTokens }) => outputTokens),
    cost:
      currencies.size === 1 && currency !== undefined
        ? { amount: total(({ cost }) => cost!.amount), currency }
        : null,
    ...(prefixes.length > 0 && {
      prefix: {
        cached: prefixes.reduce((sum, { cached }) => sum + cached, 0),
        of: prefixes.reduce((sum, one) => sum + one.of, 0),
      },
    }),
  };
}

export async function spentOf(teacher: Teacher): Promise<Spent | undefined> {
  const spent = teacher.spent?.();
  if (!spent || spent.requests === 0 || spent.prefix) return spent;
  const prefix = await teacher.prefixCache?.();
  return { ...spent, ...(prefix && { prefix }) };
}

/** "12 requests, 3,456 tokens, 0.02 EUR; the server had 1,200 of 3,400 input tokens in its prefix cache". */
export function spentText({ requests, inputTokens, outputTokens, cost, prefix }: Spent): Text {
  const [asked, tokens] = [counted(requests), counted(inputTokens + outputTokens)];
  const all = cost
    ? say`${asked} requests, ${tokens} tokens, ${money(cost)}`
    : say`${asked} requests, ${tokens} tokens`;
  // Nothing is what llama.cpp is asked for: the same bits each time.
  if (!prefix?.cached) return all;
  return say`${all}; the server had ${counted(prefix.cached)} of ${counted(prefix.of)} input tokens in its prefix cache`;
}
