import type { LabelResult } from "../../protocol/results.ts";
import { chunksOf } from "../base/sqlite.ts";
import type { TeacherImage } from "../teachers/teacher.ts";
import { askAll, asked, lookedUp, stored, type Telling, watchAnswers } from "./asking.ts";
import { noneJudged } from "./firstAnswers.ts";
import { pointRow } from "./rows.ts";

/** Has the teacher judge images one by one. */
export async function labelPoints(
  options: Telling,
  images: () => Iterable<TeacherImage>,
  total: number,
): Promise<LabelResult["points"]> {
  const { store, teacher } = options;
  const counts = { labelled: 0, reused: 0, failed: 0 };
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "points", done, total, unit: "images" });
  };
  const before = new Map<string, string>();
  const isBegun = await stored(options, () => store.hasAny(teacher.fingerprint, "points"));
  // Without any label yet, what failed shows no less than what was never asked that nothing works.
  const earlier = isBegun ? await stored(options, () => [...store.failedPoints(teacher.fingerprint)]) : [];
  for (const { image, reason } of earlier) before.set(image, reason);
  const watch = await watchAnswers(options, "images");
  const passedOver = (hash: string) =>
    before.has(hash) && (options.retryFailed === false || watch.retriesFail());
  const failed = ({ name }: TeacherImage, reason: string) => {
    counts.failed++;
    options.onFailure({ kind: "point", file: name, reason });
  };
  async function* missing(): AsyncGenerator<TeacherImage> {
    for (const some of chunksOf(images(), lookedUp)) {
      const hashes = some.map((image) => image.hash);
      const wanted = await stored(options, () => new Set(store.missingPoints(teacher.fingerprint, hashes)));
      counts.reused += some.length - wanted.size;
      report();
      for (const image of some) {
        if (!wanted.has(image.hash)) continue;
        if (passedOver(image.hash)) {
          failed(image, before.get(image.hash)!);
          report();
        } else yield image;
      }
    }
  }
  await askAll(options, missing(), async (batch, signal) => {
    const judged = await asked(batch.length, () => teacher.judgePoints(batch, signal), signal);
    const rows = batch.map((image, i) => pointRow(image.hash, judged[i]!));
    await stored(options, () => store.putPoints(teacher.fingerprint, rows));
    for (const [i, row] of rows.entries()) {
      if (row.ok) counts.labelled++;
      else failed(batch[i]!, row.reason);
      watch.tell(row.ok, before.has(row.image));
    }
    report();
    return watch.verdict(options.example.point);
  });
  if (counts.failed > 0 && counts.labelled + counts.reused === 0 && !options.beside)
    throw noneJudged("images", counts.failed, options.example.point);
  return counts;
}
