// Measures the language server on a project of 20,000 small images, over its real IPC connection: from start to indexed, the first
// page of the gallery, 1,000 hovers of scored images (p50, p95), the longest pause of its event loop as seen by a ping every
// 20 ms, and its memory. Scores are of the embedded teacher (leaf/score), on a sample. Usage: node bench/server.ts [images]
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createMessageConnection, IPCMessageReader, IPCMessageWriter } from "vscode-languageserver/node";
import type { ImageRow, Page } from "../src/protocol/images.ts";
import type { ProjectSnapshot } from "../src/protocol/project.ts";
import { uriOf } from "../src/server/uris.ts";
import { makeManyImages, imageName as name } from "./manyImages.ts";

const amount = Number(process.argv[2] ?? 20_000);
const scoredAmount = 1000;
const dir = mkdtempSync(path.join(tmpdir(), "leaf-bench-"));
const photos = path.join(dir, "photos");
await makeManyImages(dir, amount);

const server = fork(path.resolve("dist/server.js"), ["--node-ipc"], { execArgv: [], silent: true });
const connection = createMessageConnection(new IPCMessageReader(server), new IPCMessageWriter(server));
let project: ProjectSnapshot | undefined;
let wake = () => {};
connection.onNotification("leaf/changed", ({ projects }: { projects: ProjectSnapshot[] }) => {
  project = projects[0];
  wake();
});
connection.onRequest("client/registerCapability", () => null);
connection.listen();
const until = async (is: () => boolean) => {
  while (!is())
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
};
const started = performance.now();
await connection.sendRequest("initialize", {
  processId: process.pid,
  rootUri: null,
  capabilities: {},
  workspaceFolders: [{ uri: uriOf(dir), name: "bench" }],
});
await connection.sendNotification("initialized", {});
let longest = 0;
const pings = setInterval(async () => {
  const asked = performance.now();
  await connection.sendRequest("leaf/jobEvents", { config: project?.config ?? "" }).catch(() => {});
  longest = Math.max(longest, performance.now() - asked);
}, 20);
await until(() => project?.images?.usable === amount);
const say = (what: string, value: number, unit: string) =>
  console.log(`${what}: ${value.toFixed(1)} ${unit}`);
say("start to indexed", (performance.now() - started) / 1000, "s");
say("longest answer to a ping while indexing", longest, "ms");
longest = 0;
const config = project!.config;
const page = async (offset: number) => {
  const asked = performance.now();
  const query = { sort: "score", descending: false, offset, limit: 100 };
  const answer = await connection.sendRequest<Page<ImageRow>>("leaf/images", { config, query });
  return { answer, ms: performance.now() - asked };
};
say("first page of the gallery", (await page(0)).ms, "ms");
say("a later page", (await page(amount / 2)).ms, "ms");
const uris = Array.from({ length: scoredAmount }, (_, i) =>
  uriOf(path.join(photos, name(i * Math.floor(amount / scoredAmount)))),
);
const scoring = performance.now();
await connection.sendRequest("leaf/score", { uris });
say(`scoring ${scoredAmount} images with the embedded teacher`, (performance.now() - scoring) / 1000, "s");
longest = 0;
const document = uriOf(path.join(dir, "README.md"));
const times: number[] = [];
// The first look of each makes its picture; the second is measured.
for (const measured of [false, true])
  for (const uri of uris) {
    const text = `see photos/${uri.split("/").at(-1)} here`;
    const asked = performance.now();
    const hover = await connection.sendRequest("leaf/imageHover", { document, text, character: 10 });
    if (!hover) throw new Error(`No hover for ${uri}.`);
    if (measured) times.push(performance.now() - asked);
  }
times.sort((a, b) => a - b);
say("hover over a scored image, p50", times[times.length >> 1]!, "ms");
say("hover over a scored image, p95", times[Math.floor(times.length * 0.95)]!, "ms");
say("longest answer to a ping meanwhile", longest, "ms");
clearInterval(pings);
const memory = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
say("memory of the server", memory(server.pid!), "MiB");
await connection.sendRequest("shutdown");
await connection.sendNotification("exit");
rmSync(dir, { recursive: true, force: true });
