import { trimmed } from "./client.ts";

/** Input tokens that a vLLM server was asked about, and those that its prefix cache had; since it started. */
export interface PrefixCounters {
  hits: number;
  queries: number;
}

const counter = /^vllm:(?:gpu_)?prefix_cache_(hits|queries)(?:_total)?(?:\{[^}]*\})?\s+([\d.eE+]+)(?:\s|$)/;

/** From the text of `/metrics`, over all of its engines; undefined where it has no such counters. */
export function prefixCounters(text: string): PrefixCounters | undefined {
  const sums: Partial<PrefixCounters> = {};
  for (const line of text.split("\n")) {
    const [, name, value] = counter.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) continue;
    const key = name as keyof PrefixCounters;
    sums[key] = (sums[key] ?? 0) + Number(value);
  }
  const { hits, queries } = sums;
  return hits === undefined || queries === undefined ? undefined : { hits, queries };
}

/** What was asked between two looks; undefined where nothing was, or the server was started anew. */
export function prefixBetween(
  before: PrefixCounters,
  after: PrefixCounters,
): { cached: number; of: number } | undefined {
  const [cached, of] = [after.hits - before.hits, after.queries - before.queries];
  return of > 0 && cached >= 0 && cached <= of ? { cached, of } : undefined;
}

/** vLLM has its counters beside the API, not under it. */
export function metricsUrl(base: string): string {
  return `${trimmed(base).replace(/\/v1$/, "")}/metrics`;
}
