import type { StageName } from "../protocol/project.ts";
import type { CalibrateResult, EvaluateResult, LabelResult } from "../protocol/results.ts";

const count = new Intl.NumberFormat("en");
const figure = (value: number | null | undefined) => (value == null ? "–" : value.toFixed(3));

interface Trained {
  images?: number;
  headOnly?: boolean;
  from?: CalibrateResult["from"];
  teacherCheck?: CalibrateResult["teacherCheck"];
  teacherAgreement?: { srcc: number | null; n: number };
}

/** A stage's last result in a few words, as lenses, trees and the panel show it. */
export function headlineOf(stage: StageName, result: unknown): string {
  switch (stage) {
    case "label": {
      const { images, pairs, points, positionBias } = result as LabelResult;
      // A teacher that leans to the first image is worth knowing wherever the stage is told.
      const decides = positionBias && positionBias.flipped >= 0.01;
      const bias = decides ? `, the order decides ${Math.round(100 * positionBias.flipped)} %` : "";
      const failed = points.failed > 0 ? `, ${count.format(points.failed)} failed` : "";
      return `${count.format(images)} images${failed}, ${count.format(pairs.kept + pairs.discarded)} pairs (${count.format(pairs.discarded)} discarded${bias})`;
    }
    case "distill": {
      const { teacherAgreement: agreement } = result as Trained;
      return `agrees with teacher ${figure(agreement?.srcc)} (SRCC, n = ${agreement?.n ?? 0})`;
    }
    case "calibrate": {
      const { images = 0, headOnly, from, teacherCheck } = result as Trained;
      const start =
        teacherCheck?.verdict === "chance" && from === "backbone"
          ? ", from the backbone: the teacher is at chance on them"
          : "";
      return `${count.format(images)} human scores${headOnly ? ", head only" : ""}${start}`;
    }
    case "evaluate": {
      const { srcc, plcc, n, ci95 } = result as EvaluateResult;
      const interval = ci95.srcc ? ` [${ci95.srcc[0].toFixed(2)}, ${ci95.srcc[1].toFixed(2)}]` : "";
      return `SRCC ${figure(srcc)}${interval} · PLCC ${figure(plcc)} · n = ${n}`;
    }
  }
}
