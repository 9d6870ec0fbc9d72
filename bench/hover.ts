// What a hover over a scored image costs the language server, without the wire: 1,000 times, find the image path in a line of
// text, ask the file system for it, read all that is known of it, write the Markdown. And the gallery's pages over the same
// project: the first page of each sort (which makes the list), a page at the end of it, and the longest the event loop stood
// still. The project is made of rows alone: index, labels, scores.
// node bench/hover.ts [images=20000]
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { randomInt, seededRandom } from "../src/engine/base/random.ts";
import { openBrowser } from "../src/engine/views/browse.ts";
import { pairs } from "../src/engine/views/pairViews.ts";
import type { ImageSort } from "../src/protocol/images.ts";
import { imageHover } from "../src/server/images/imageHover.ts";
import { imagePathAt } from "../src/server/images/pathsInText.ts";
import {
  hashOf,
  liveContext,
  liveProject,
  pairRow,
  pointRow,
  putIndex,
  putLabels,
  putScores,
} from "../test/support/liveWorld.ts";

const hovers = 1000;
const limitHoverMs = 20;
const limitBlockedMs = 50;
const count = Number(process.argv[2] ?? 20_000);
const random = seededRandom("hover");
const root = mkdtempSync(path.join(os.tmpdir(), "leaf-hover-"));
const hash = (i: number) => hashOf((i * 2654435761) % 2 ** 32);
const name = (i: number) => `photos/folder-${i % 40}/image ${i}.jpg`;
const quantile = (values: number[], q: number) =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!.toFixed(2);

try {
  const project = liveProject(root, { mos: { file: "mos.csv" } });
  const all = Array.from({ length: count }, (_, i) => i);
  putIndex(
    project,
    all.map((i) => ({ path: name(i), hash: hash(i), mtimeMs: i })),
  );
  putScores(
    project,
    "calibrate-1",
    all.map((i) => [hash(i), 1 + 4 * random()]),
  );
  putLabels(
    project,
    "t",
    all.map((i) => pointRow(hash(i), 1 + 4 * random())),
    all.flatMap((i) => {
      const [a, b] = [hash(i), hash((i + 1) % count)].sort() as [string, string];
      return [pairRow(a, b, random(), random())];
    }),
  );
  const hovered = Array.from({ length: hovers }, () => randomInt(random, count));
  for (let folder = 0; folder < 40; folder++)
    mkdirSync(path.join(root, `photos/folder-${folder}`), { recursive: true });
  for (const i of hovered) writeFileSync(path.join(root, name(i)), "");

  const browser = openBrowser(project);
  const mos = new Map(all.filter((i) => i % 5 === 0).map((i) => [hash(i), 1 + (i % 5)]));
  browser.setContext(liveContext(project, { mos, splitOf: (one) => (one.endsWith("0") ? "test" : "train") }));
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const timed = async (work: () => unknown): Promise<number> => {
    const started = performance.now();
    await work();
    return performance.now() - started;
  };

  const places = {
    documentFolder: path.join(root, "docs"),
    roots: [root, path.join(root, "photos")],
    exists: (file: string) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false,
  };
  const times: number[] = [];
  for (const i of hovered) {
    const text = `Row ${i}: the picture ![a picture](${encodeURI(name(i))}) was looked at, not ![that](missing.png).`;
    times.push(
      await timed(() => {
        const hit = imagePathAt(text, 40, places);
        const row = hit && browser.rowOfPath(path.relative(root, hit.file).replaceAll(path.sep, "/"));
        if (row?.hash !== hash(i)) throw new Error(`No row of ${name(i)}`);
        const about = { config: "file:///leaf.yaml", name: "leaf.yaml", imagesName: "photos" };
        imageHover({ row, project: about, scorer: browser.scorer(), mosRange: [1, 5] });
      }),
    );
  }
  const [p50, p95] = [quantile(times, 0.5), quantile(times, 0.95)];
  console.log(`${count} images, ${hovers} hovers: p50 ${p50} ms, p95 ${p95} ms (limit ${limitHoverMs} ms)`);
  if (Number(p95) > limitHoverMs) process.exitCode = 1;

  const blocked = () => {
    const ms = loop.max / 1e6;
    loop.reset();
    if (ms > limitBlockedMs) process.exitCode = 1;
    return `event loop stood ${ms.toFixed(0)} ms at most (limit ${limitBlockedMs})`;
  };
  for (const sort of ["path", "score", "mos", "teacher", "disagreement", "modified"] satisfies ImageSort[]) {
    await timed(() => new Promise((resolve) => setTimeout(resolve, 5)));
    loop.reset();
    const query = { sort, descending: false, offset: 0, limit: 100 };
    const first = await timed(() => browser.images(query));
    const told = blocked();
    const last = await timed(() => browser.images({ ...query, offset: count - 100 }));
    console.log(
      `100 rows by ${sort}: first ${first.toFixed(1)} ms, at the end ${last.toFixed(1)} ms; ${told}`,
    );
  }
  loop.reset();
  const query = { show: "kept", sort: "disagreement", descending: true, offset: 0, limit: 50 } as const;
  const first = await timed(() => pairs(browser, query));
  const told = blocked();
  const again = await timed(() => pairs(browser, { ...query, offset: 1000 }));
  console.log(`50 of ${count} pairs: first ${first.toFixed(1)} ms, then ${again.toFixed(1)} ms; ${told}`);
  const known = await timed(() => browser.known(all.slice(0, 1000).map(name)));
  console.log(`1,000 known scores: ${known.toFixed(1)} ms`);
  console.log(`resident memory: ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);
  loop.disable();
  browser.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
