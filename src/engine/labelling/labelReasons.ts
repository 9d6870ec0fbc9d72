import type { LabelResult } from "../../protocol/results.ts";
import { chunksOf } from "../base/sqlite.ts";
import type { TeacherImage } from "../teachers/teacher.ts";
import { askAll, asked, lookedUp, stored, type Telling } from "./asking.ts";
import { firstAnswers } from "./firstAnswers.ts";

/** A teacher without words gives no reasons; one that fails is asked again in the next run. */
export async function labelReasons(options: Telling, total: number): Promise<LabelResult["reasons"]> {
  const { store, teacher } = options;
  const counts = { labelled: 0, reused: 0, failed: 0 };
  const explain = teacher.explain?.bind(teacher);
  if (!explain) return counts;
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "reasons", done, total, unit: "images" });
  };
  const first = firstAnswers(options.limit);
  async function* missing(): AsyncGenerator<TeacherImage> {
    for (const some of chunksOf(options.images(), lookedUp)) {
      const hashes = some.map((image) => image.hash);
      const scoreless = await stored(
        options,
        () => new Set(store.missingPoints(teacher.fingerprint, hashes)),
      );
      const wanted = await stored(options, () => new Set(store.missingReasons(teacher.fingerprint, hashes)));
      for (const image of some) {
        if (scoreless.has(image.hash)) counts.failed++;
        else if (!wanted.has(image.hash)) counts.reused++;
        else if (first.allFailed()) failed(image, `not asked: the first ${counts.failed} had no answer`);
        else yield image;
      }
      report();
    }
  }
  const failed = ({ name }: TeacherImage, reason: string) => {
    counts.failed++;
    options.onFailure({ kind: "reason", file: name, reason });
  };
  await askAll(options, missing(), async (batch, signal) => {
    const given = await asked(batch.length, () => explain(batch, signal), signal);
    const rows: { image: string; text: string }[] = [];
    for (const [i, image] of batch.entries()) {
      const reason = given[i]!;
      first.tell(reason.ok);
      if (reason.ok) rows.push({ image: image.hash, text: reason.text });
      else failed(image, reason.reason);
    }
    await stored(options, () => store.putReasons(teacher.fingerprint, rows));
    counts.labelled += rows.length;
    report();
    // A reason is no label: without any, the labels are as good.
    return undefined;
  });
  return counts;
}
