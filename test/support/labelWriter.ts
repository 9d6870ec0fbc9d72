/** Run by labels.test.ts, to be killed: writes batches without end, and names each on stdout once it is committed. */
import { writeSync } from "node:fs";
import { openLabels } from "../../src/engine/labels/labels.ts";

const [file, firstBatch, batchSize] = process.argv.slice(2);
const size = Number(batchSize);
const store = openLabels(file!);
store.registerTeacher({ fingerprint: "t", kind: "fake", description: {} });
for (let batch = Number(firstBatch); ; batch++) {
  const images = Array.from({ length: size }, (_, i) => (batch * size + i).toString(16).padStart(32, "0"));
  store.putPoints(
    "t",
    images.map((image) => ({
      image,
      ok: true,
      score: 3,
      probabilities: [0, 0, 1, 0, 0],
      mass: 1,
      confidence: 1,
    })),
  );
  store.putPairs(
    "t",
    images.slice(1).map((b, i) => ({
      a: images[i]!,
      b,
      ok: true,
      p: 0.5,
      pAB: 0.5,
      pBA: 0.5,
      positionBias: 0,
      confidence: 0.1,
    })),
  );
  writeSync(1, `${batch}\n`);
}
