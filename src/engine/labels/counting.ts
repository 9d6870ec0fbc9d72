import type { LabelResult, ToldLabels } from "../../protocol/results.ts";
import type { Config } from "../config/config.ts";
import { type LabelTable, usable } from "./rules.ts";

/**
 * Which labels a training learns from, and how much each weighs, as conditions on a row of the label store. Whatever trains,
 * counts or shows labels asks here.
 */

/** The least confidence with which a teacher's pair counts; null: all pairs count, each with weight 1. */
export type LeastConfidence = number | null;

/** `auto` is the number that `label.minConfidence: auto` stands for. */
export function leastConfidence({ label, distill }: Config, auto: number): LeastConfidence {
  if (!distill.loss.confidence) return null;
  return label.minConfidence === "auto" ? auto : label.minConfidence;
}

/** Row ids in `teachers`, or SQL that finds them. */
export interface Judges {
  teacher: number | string;
  person: number | string;
}

/** No row of `teachers`: of one who never labelled. */
export const nobody = -1;

/**
 * The usable rows of a teacher and of people, but of the teacher only what no person overruled. Rows after the id `upTo` do not
 * exist; the store may be attached as `schema`.
 */
export function standing(
  table: LabelTable,
  row: string,
  { teacher, person }: Judges,
  { schema = "main", upTo }: { schema?: string; upTo?: number } = {},
): string {
  const same = table === "points" ? ["image_id"] : ["a_id", "b_id"];
  const own = `${row}.teacher_id = ${teacher}`;
  const until = (alias: string) => (upTo === undefined ? "" : ` AND ${alias}.id <= ${upTo}`);
  if (person === nobody) return `(${usable(table, row)}${until(row)} AND ${own})`;
  const overruled = `SELECT 1 FROM ${schema}.${table} AS h
    WHERE ${same.map((column) => `h.${column} = ${row}.${column}`).join(" AND ")}
      AND h.teacher_id = ${person} AND ${usable(table, "h")}${until("h")}`;
  return `(${usable(table, row)}${until(row)} AND (${row}.teacher_id = ${person}
    OR ${own} AND NOT EXISTS (${overruled})))`;
}

/**
 * What a standing pair weighs in the loss; 0: it does not count. A person's word weighs 1, a teacher's as much as it is sure of it
 * (LEAF, arXiv 2601.20689).
 */
export function pairWeight(row: string, person: Judges["person"], least: LeastConfidence): string {
  if (least === null) return "1.0";
  const { confidence, by } = { confidence: `${row}.confidence`, by: `${row}.teacher_id` };
  return `CASE WHEN ${by} = ${person} THEN 1.0
    WHEN ${confidence} > 0 AND ${confidence} >= ${least} THEN min(1.0, ${confidence}) ELSE 0.0 END`;
}

/**
 * A label stage's result as its pairs count now: without `discarded` where another confidence decided when it was written. A former
 * version did not write which.
 */
export function countedNow(result: LabelResult, least: LeastConfidence): ToldLabels {
  const { pairs, minConfidence } = result;
  const all = pairs.kept + pairs.discarded;
  if (least === null) return { ...result, pairs: { ...pairs, kept: all, discarded: 0 } };
  if (minConfidence === undefined || minConfidence === least) return result;
  return { ...result, pairs: { ...pairs, kept: all, discarded: undefined } };
}
