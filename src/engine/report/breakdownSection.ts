import type { Breakdown, Part } from "../../protocol/results.ts";
import { figure, signed } from "../../words/figure.ts";
import { type Html, html, name, section, table } from "./html.ts";

/** The student's figures for parts of the held-out images: by the grade of their MOS, and within groups. */
export function breakdownSection(breakdown: Breakdown | undefined): Html | null {
  if (!breakdown) return null;
  const { bands, groups } = breakdown;
  const rows = (parts: readonly Part[]) =>
    parts.map((one) => [
      name(one.name),
      String(one.n),
      figure(one.srcc),
      figure(one.plcc),
      figure(one.rmse),
      signed(one.bias),
    ]);
  const header = (first: string) => [first, "n", "SRCC", "PLCC", "RMSE", "Score − MOS"];
  return section(
    "Parts of the images",
    table(header("Grade of the MOS"), rows(bands)),
    html`<p class="quiet">Within a grade images differ little, so that SRCC is lower there than over all.</p>`,
    groups && table(header("Group"), rows(groups.lowest)),
    groups &&
      html`<p class="quiet">SRCC within ${groups.count} groups of images: median ${figure(groups.srcc[1])}, quartiles ${figure(groups.srcc[0])} and ${figure(groups.srcc[2])}. The lowest are listed.</p>`,
  );
}
