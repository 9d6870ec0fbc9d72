// One process that scans a folder into an index, as the command line and the editor do: node scanIndex.ts ROOT INDEX DELAY
import { setTimeout } from "node:timers/promises";
import { indexDataset } from "../../src/engine/dataset/dataset.ts";

const [root, indexFile, delayMs] = process.argv.slice(2) as [string, string, string];
await setTimeout(Number(delayMs));
const { files, images, removed } = await indexDataset({ root, images: "photos", indexFile });
console.log(JSON.stringify({ files, images, removed }));
