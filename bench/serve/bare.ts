// One image by the bare network, and decoded each time as the service decodes it; as many at a time as there are cores.
// node bench/serve/bare.ts STUDENT IMAGE SECONDS prints how many of each a second.
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { decodeImage } from "../../src/engine/images/decode.ts";
import { prepare, views } from "../../src/engine/images/views.ts";
import { openStudent } from "../../src/engine/student/student.ts";

const [folder, image, seconds] = process.argv.slice(2) as [string, string, string];
const student = await openStudent(path.resolve(folder));
const { input } = student.card;
const bytes = readFileSync(image);
const look = async () => views(await prepare(await decodeImage(bytes), input), input);
const seen = await look();
const network = await rate(() => student.judgeViews(seen));
const both = await rate(async () => student.judgeViews(await look()));
console.log(JSON.stringify({ network, both }));
await student.close();

async function rate(work: () => Promise<unknown>): Promise<number> {
  await work();
  let done = 0;
  const start = performance.now();
  const worker = async () => {
    while (performance.now() - start < Number(seconds) * 1000) {
      await work();
      done++;
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, worker));
  return (done * 1000) / (performance.now() - start);
}
