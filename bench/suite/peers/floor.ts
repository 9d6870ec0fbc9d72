// What scoring cannot do without, on all cores, and nothing else: node floor.ts STUDENT IMAGE…
// Prints the seconds of decoding to the needed size alone, of the network alone, and of both for one image after the other.
import "../../../src/engine/base/noTelemetry.ts";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import ort from "onnxruntime-node";
import sharp from "sharp";

sharp.cache(false);
sharp.concurrency(1);
const [student, ...images] = process.argv.slice(2) as [string, ...string[]];
const [resize, crop, batch] = [384, 224, 16];
const cores = os.availableParallelism();

const decode = (file: string) =>
  sharp(readFileSync(file)).resize(resize, resize, { fit: "outside" }).removeAlpha().raw().toBuffer();
const session = await ort.InferenceSession.create(path.join(student, "student.onnx"), {
  intraOpNumThreads: cores,
  logSeverityLevel: 3,
});
const run = (n: number) =>
  session.run({ pixels: new ort.Tensor("uint8", new Uint8Array(n * crop * crop * 3), [n, crop, crop, 3]) }, [
    "score",
  ]);

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

await run(1);
const decoding = await seconds(async () => {
  const left = [...images];
  const worker = async () => {
    for (let file = left.pop(); file; file = left.pop()) await decode(file);
  };
  await Promise.all(Array.from({ length: cores }, worker));
});
const network = await seconds(async () => {
  for (let at = 0; at < images.length; at += batch) await run(Math.min(batch, images.length - at));
});
const one = await seconds(async () => {
  for (const file of images.slice(0, 8)) {
    await decode(file);
    await run(1);
  }
});
console.log(JSON.stringify({ decoding, network, one: one / Math.min(8, images.length) }));
