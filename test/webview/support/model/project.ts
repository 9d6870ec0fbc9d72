import type { ImageRow } from "../../../../src/protocol/images.ts";
import type { ProjectSnapshot, StageSnapshot } from "../../../../src/protocol/project.ts";
import { say } from "../../../../src/words/text.ts";
import { folder } from "./images.ts";

export const config = `${folder}/leaf.yaml`;

/** `new`: a config and nothing done; `done`: all stages fresh; `stale`: done, then the config was edited. */
export type Standing = "new" | "done" | "stale";

export function makeProject(images: readonly ImageRow[], standing: Standing, now: number): ProjectSnapshot {
  const rated = images.filter(({ mos }) => mos !== null);
  const of = (split: string) => rated.filter((row) => row.split === split).length;
  const isNew = standing === "new";
  return {
    config,
    name: "shop/leaf.yaml",
    folder,
    revision: 1,
    invalid: null,
    imagesName: "photos",
    images: { files: images.length, usable: images.length, failed: 0 },
    mos: {
      file: "mos.csv",
      rated: rated.length,
      train: of("train"),
      val: of("val"),
      test: of("test"),
      range: [1, 5],
    },
    stages: stages(standing, now),
    stale: isNew ? 4 : standing === "stale" ? 3 : 0,
    scorer: isNew
      ? {
          kind: "embedded",
          title: say`embedded teacher`,
          fingerprint: "embedded-1",
          scale: [1, 5],
          lowerIsBetter: false,
        }
      : {
          kind: "student",
          title: say`student ${"r12"} · calibrated`,
          fingerprint: "student-r12",
          scale: [1, 5],
          lowerIsBetter: false,
        },
    scored: { done: isNew ? 0 : images.length, total: images.length, busy: false },
    job: null,
  };
}

function stages(standing: Standing, now: number): StageSnapshot[] {
  const at = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
  if (standing === "new") {
    return (["label", "distill", "calibrate", "evaluate"] as const).map((stage) => ({
      stage,
      state: "missing",
      reason: null,
      headline: null,
      run: null,
      updated: null,
    }));
  }
  const stale = standing === "stale";
  return [
    {
      stage: "label",
      state: "fresh",
      reason: null,
      headline: "400 images, 1,600 pairs (188 discarded)",
      run: "r12",
      updated: at(19),
    },
    {
      stage: "distill",
      state: stale ? "stale" : "fresh",
      reason: stale
        ? { kind: "changed" as const, changes: [{ key: "distill.epochs", before: 20, after: 30 }] }
        : null,
      headline: "agrees with teacher 0.931 (SRCC, n = 40)",
      run: "r12",
      updated: at(15),
    },
    {
      stage: "calibrate",
      state: stale ? "stale" : "fresh",
      reason: stale
        ? { kind: "upstream" as const, stage: "distill" as const, state: "stale" as const }
        : null,
      headline: "40 human scores",
      run: "r12",
      updated: at(13),
    },
    {
      stage: "evaluate",
      state: stale ? "stale" : "fresh",
      reason: stale
        ? { kind: "upstream" as const, stage: "calibrate" as const, state: "stale" as const }
        : null,
      headline: "SRCC 0.861 [0.84, 0.88] · PLCC 0.867 · n = 80",
      run: "r12",
      updated: at(12),
    },
  ];
}
