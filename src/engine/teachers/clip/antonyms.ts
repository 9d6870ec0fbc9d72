import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { appRoot } from "../../base/appRoot.ts";
import type { ClipTeacherConfig } from "../../config/teacher.ts";

/** What images are compared with, with everything filled in. `quality` is part of the teacher's fingerprint. */
export interface Antonyms {
  /** For a good image, for a bad one. */
  quality: [good: string, bad: string][];
  attributes: { good: string; bad: string; reason: string }[];
}

interface AntonymFile extends Antonyms {
  domains: Record<string, string>;
}

export function resolveAntonyms(config: ClipTeacherConfig["prompts"]): Antonyms {
  const file = parse(
    readFileSync(path.join(appRoot(), "assets", "prompts", "clip.yaml"), "utf8"),
  ) as AntonymFile;
  const domain = file.domains[config.domain] ?? config.domain;
  const Domain = domain.slice(0, 1).toUpperCase() + domain.slice(1);
  const fill = (text: string) => text.replaceAll("{domain}", domain).replaceAll("{Domain}", Domain);
  return {
    quality: (config.quality ?? file.quality).map(([good, bad]) => [fill(good), fill(bad)]),
    attributes: (config.attributes ?? file.attributes).map(({ good, bad, reason }) => ({
      good: fill(good),
      bad: fill(bad),
      reason,
    })),
  };
}

/**
 * A quality on 1..5 from the probabilities of the good texts: mu = 1 + 4 p with p their mean, the published score of CLIP-IQA.
 * sigma is the stated noise and the standard error of that mean together.
 */
export function qualityOf(first: number[], noise: number): { mu: number; sigma: number } {
  const n = first.length;
  const p = first.reduce((total, value) => total + value, 0) / n;
  const variance = n > 1 ? first.reduce((total, value) => total + (value - p) ** 2, 0) / (n - 1) : 0;
  return { mu: 1 + 4 * p, sigma: Math.hypot(noise, 4 * Math.sqrt(variance / n)) };
}

/** At most three flaws, the clearest first. */
const mostReasons = 3;

/** `first`: of each attribute the probability of the good text. */
export function reasonOf(first: number[], attributes: Antonyms["attributes"]): string {
  const flaws = attributes.map(({ reason }, i) => ({ reason, p: first[i]! })).filter(({ p }) => p < 0.5);
  flaws.sort((a, b) => a.p - b.p);
  const named = flaws.slice(0, mostReasons).map(({ reason }) => reason);
  return named.length > 0 ? named.join(", ") : "no visible flaw";
}
