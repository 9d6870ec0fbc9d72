// Scores or labels on Ray: images a second of 1 and 2 workers on this machine, from the moment when the cluster is there, against the same
// command without Ray; then on two nodes of which one is killed; then once more. Compares every score and every label.
// LEAF_RAY_PYTHON or `leaf env --extra ray`. node bench/ray.ts [label] [images=20000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeManyImages } from "./manyImages.ts";
import { benchLabels } from "./ray/labels.ts";
import { benchScores } from "./ray/scores.ts";
import { teller } from "./ray/table.ts";

const args = process.argv.slice(2);
const labels = args.includes("label");
const amount = Number(args.find((one) => /^\d+$/.test(one)) ?? 20_000);
const dir = mkdtempSync(path.join(tmpdir(), "leaf-bench-"));
try {
  await makeManyImages(dir, amount);
  await (labels ? benchLabels : benchScores)(dir, teller(amount));
} finally {
  rmSync(dir, { recursive: true });
}
