// What a hover over a scored image costs the language server, without the wire: 1,000 times, find the image path in a line of
// text, ask the file system for it, read all that is known of it, write the Markdown. The project is made of rows alone: index,
// labels, scores.
// node bench/hover.ts [images=20000]
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { randomInt, seededRandom } from "../src/engine/base/random.ts";
import { openBrowser } from "../src/engine/views/browse.ts";
import { imageHover } from "../src/server/images/imageHover.ts";
import { imagePathAt } from "../src/server/images/pathsInText.ts";
import { liveContext } from "../test/support/liveWorld.ts";
import { makeRowsOfImages } from "./rowsOfImages.ts";

const hovers = 1000;
const limitHoverMs = 20;
const count = Number(process.argv[2] ?? 20_000);
const random = seededRandom("hover");
const root = mkdtempSync(path.join(os.tmpdir(), "leaf-hover-"));
const quantile = (values: number[], q: number) =>
  values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]!.toFixed(2);

try {
  const { project, name, hash } = makeRowsOfImages(root, count);
  const hovered = Array.from({ length: hovers }, () => randomInt(random, count));
  for (let folder = 0; folder < 40; folder++)
    mkdirSync(path.join(root, `photos/folder-${folder}`), { recursive: true });
  for (const i of hovered) writeFileSync(path.join(root, name(i)), "");

  const browser = openBrowser(project);
  browser.setContext(liveContext(project));
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

  const known = await timed(() => browser.known(Array.from({ length: 1000 }, (_, i) => name(i))));
  console.log(`1,000 known scores: ${known.toFixed(1)} ms`);
  console.log(`resident memory: ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);
  browser.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
