import type { LabelResult } from "../../protocol/results.ts";
import { throwIfCancelled } from "../base/errors.ts";
import { chunksOf } from "../base/sqlite.ts";
import type { TeacherImage } from "../teachers/teacher.ts";
import { askAll, asked, lookedUp, stored, type Telling, watchAnswers } from "./asking.ts";
import { noneJudged } from "./firstAnswers.ts";
import type { PairRounds } from "./rounds.ts";
import { pairRow } from "./rows.ts";

/** Has the teacher compare images. */
export async function labelPairs(
  options: Telling,
  rounds: () => PairRounds,
  imageOf: (hash: string) => TeacherImage,
): Promise<LabelResult["pairs"]> {
  const { store, teacher, signal, minConfidence, orders = "both" } = options;
  const counts = { labelled: 0, reused: 0, failed: 0, kept: 0, discarded: 0 };
  const failedImages = new Map<string, string>();
  const failedBefore = await stored(options, () => [...store.failedPoints(teacher.fingerprint)]);
  for (const { image, reason } of failedBefore) failedImages.set(image, reason);
  // Where images are asked too, those that failed have been told.
  if (options.only === "pairs" && !options.beside)
    for (const { hash, name } of options.images())
      if (failedImages.has(hash))
        options.onFailure({ kind: "point", file: name, reason: failedImages.get(hash)! });
  const before = new Map<string, string>();
  const isBegun = await stored(options, () => store.hasAny(teacher.fingerprint, "pairs"));
  const earlier = isBegun ? await stored(options, () => [...store.failedPairs(teacher.fingerprint)]) : [];
  for (const { a, b, reason } of earlier) before.set(`${a} ${b}`, reason);
  const watch = await watchAnswers(options, "pairs");
  const isRetry = ([a, b]: [string, string]) => before.has(`${a} ${b}`);
  throwIfCancelled(signal);
  const { total, next } = await stored(options, rounds);
  const report = () => {
    const done = counts.labelled + counts.reused + counts.failed;
    options.onProgress?.({ stage: "label", step: "pairs", done, total, unit: "pairs" });
  };
  const weigh = (weight: number) => counts[weight > 0 ? "kept" : "discarded"]++;
  let inVain = 0;
  const failed = ([a, b]: [string, string], reason: string) => {
    counts.failed++;
    inVain++;
    options.onFailure({ kind: "pair", file: imageOf(a).name, other: imageOf(b).name, reason });
  };

  async function* missing(round: Iterable<[string, string]>): AsyncGenerator<[string, string]> {
    for (const some of chunksOf(round, lookedUp)) {
      const weights = await stored(options, () =>
        store.pairWeights(teacher.fingerprint, some, orders, minConfidence),
      );
      for (const [i, pair] of some.entries()) {
        const weight = weights[i];
        if (weight !== undefined) {
          counts.reused++;
          weigh(weight);
        } else if (failedImages.has(pair[0]) || failedImages.has(pair[1])) counts.failed++;
        else if (isRetry(pair) && (options.retryFailed === false || watch.retriesFail()))
          failed(pair, before.get(pair.join(" "))!);
        else yield pair;
      }
      report();
    }
  }
  const ask = async (batch: [string, string][], signal: AbortSignal) => {
    const asking = batch.map(([a, b]) => [imageOf(a), imageOf(b)] as [TeacherImage, TeacherImage]);
    const judged = await asked(batch.length, () => teacher.judgePairs(asking, signal, orders), signal);
    const rows = batch.map((pair, i) => pairRow(pair, judged[i]!));
    const weights = await stored(options, () => {
      store.putPairs(teacher.fingerprint, rows);
      return store.pairWeights(teacher.fingerprint, batch, "one", minConfidence);
    });
    for (const [i, row] of rows.entries()) {
      const retry = isRetry(batch[i]!);
      if (row.ok) {
        counts.labelled++;
        weigh(weights[i] ?? 0);
      } else failed(batch[i]!, row.reason);
      watch.tell(row.ok, retry);
    }
    report();
    return watch.verdict(options.example.pair);
  };
  for (;;) {
    const round = await stored(options, next);
    if (!round) break;
    await askAll(options, missing(round), ask);
  }
  if (inVain > 0 && counts.labelled + counts.reused === 0 && !options.beside)
    throw noneJudged("pairs", inVain, options.example.pair);
  return counts;
}
