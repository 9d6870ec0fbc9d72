import type { LabelResult, Spent } from "../../../../protocol/results.ts";
import type { Text } from "../../../../protocol/text.ts";
import { money } from "../../../../words/figure.ts";
import { counted, say } from "../../../../words/text.ts";
import type { Project } from "../../../config/project.ts";
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
  return {
    requests: total(({ requests }) => requests),
    inputTokens: total(({ inputTokens }) => inputTokens),
    outputTokens: total(({ outputTokens }) => outputTokens),
    cost:
      currencies.size === 1 && currency !== undefined
        ? { amount: total(({ cost }) => cost!.amount), currency }
        : null,
  };
}

/** "12 requests, 3,456 tokens, 0.02 EUR". */
export function spentText({ requests, inputTokens, outputTokens, cost }: Spent): Text {
  const [asked, tokens] = [counted(requests), counted(inputTokens + outputTokens)];
  return cost
    ? say`${asked} requests, ${tokens} tokens, ${money(cost)}`
    : say`${asked} requests, ${tokens} tokens`;
}
