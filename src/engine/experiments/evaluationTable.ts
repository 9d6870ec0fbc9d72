import type { Breakdown, EvaluateResult, Metrics, Part } from "../../protocol/results.ts";
import { figure, signed, withInterval } from "../../words/figure.ts";
import type { Table } from "./table.ts";

const names = { distill: "TGD", calibrate: "CFT" };

/**
 * Students in rows; the held-out images and the other datasets of `evaluate.datasets` in columns: trained on one, tested on each.
 * `distilled`: the distilled student on the same images, where it was evaluated too.
 */
export function evaluationTable(result: EvaluateResult, distilled?: Metrics | null): Table {
  const { student, split, n, transfer, groups } = result;
  const own: Partial<Record<keyof typeof names, Metrics>> = {
    ...(student === "calibrate" && distilled && { distill: distilled }),
    [student]: result,
  };
  const rows = (["distill", "calibrate"] as const).flatMap((name) => {
    const cells = transfer?.rows.find((row) => row.student === name)?.cells ?? [];
    if (!own[name] && cells.length === 0) return [];
    const figures = [own[name] ?? null, ...(transfer?.datasets ?? []).map((_, i) => cells[i] ?? null)];
    return [{ group: "arm" as const, cells: [names[name], ...figures.flatMap(both)] }];
  });
  const columns = [split, ...(transfer?.datasets ?? [])];
  const elsewhere = (transfer?.datasets ?? []).map((dataset, i) => {
    const counts = transfer!.rows.flatMap(({ cells }) => cells[i]?.n ?? []);
    return `, ${dataset}: ${counts.length > 0 ? Math.max(...counts) : 0}`;
  });
  return {
    header: ["student", ...columns.flatMap((name) => [`${name}: SRCC`, `${name}: PLCC`])],
    rows,
    notes: [
      `Images: ${split}: ${n}${elsewhere.join("")}.`,
      `In brackets: 95 % bootstrap intervals over ${groups === undefined ? "images" : `${groups} groups of images`}.`,
    ],
  };
}

function both(metrics: Metrics | null): string[] {
  if (!metrics) return ["–", "–"];
  return [withInterval(metrics.srcc, metrics.ci95.srcc), withInterval(metrics.plcc, metrics.ci95.plcc)];
}

/** Figures by the grade of the MOS and within groups, the ones of lowest SRCC. */
export function partsTable({ bands, groups }: Breakdown): Table {
  const row = (group: "arm" | "paper", { name, n, srcc, plcc, rmse, bias }: Part) => ({
    group,
    cells: [name, String(n), figure(srcc), figure(plcc), figure(rmse), signed(bias)],
  });
  return {
    header: ["part", "n", "SRCC", "PLCC", "RMSE", "score − MOS"],
    // A rule between grades and groups.
    rows: [...bands.map((one) => row("arm", one)), ...(groups?.lowest ?? []).map((one) => row("paper", one))],
    notes: [
      "By the grade of the MOS: within a grade images differ little, so that SRCC is lower there than over all.",
      ...(groups ? [groupsText(groups)] : []),
    ],
  };
}

function groupsText({ count, srcc: [low, median, high], lowest }: NonNullable<Breakdown["groups"]>): string {
  const named = lowest.length < count ? `; the ${lowest.length} lowest are listed` : "";
  return `Within ${count} groups of images: SRCC ${figure(median)} [${figure(low)}, ${figure(high)}], median and quartiles${named}.`;
}
