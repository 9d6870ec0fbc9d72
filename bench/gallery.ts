// What the gallery and the Pairs tab cost the language server, without the wire, on a project that is made of rows alone: what is
// read ahead when the project is opened, the first page of each order and filter (which makes its list), later pages at random
// places, and a first page after scores were written. Processor time of the process and time by the clock; also of the longest
// turn of the event loop, in which nothing else is answered. Each line has its own first page: nothing of its list was there before.
// node bench/gallery.ts [images=200000]
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import { randomInt, seededRandom } from "../src/engine/base/random.ts";
import { openBrowser } from "../src/engine/views/browse.ts";
import { pairs } from "../src/engine/views/pairViews.ts";
import type { ImageQuery, PairQuery } from "../src/protocol/images.ts";
import { liveContext, putScores } from "../test/support/liveWorld.ts";
import { makeRowsOfImages } from "./rowsOfImages.ts";

const laterPages = 40;
const count = Number(process.argv[2] ?? 200_000);
const random = seededRandom("gallery");
const root = mkdtempSync(path.join(os.tmpdir(), "leaf-gallery-"));

interface Cost {
  cpu: number;
  clock: number;
}

async function costOf<T>(work: () => Promise<T>): Promise<Cost & { value: T }> {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  const value = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { value, cpu: (user + system) / 1000, clock: performance.now() - started };
}

const shown = ({ cpu, clock }: Cost) => `${cpu.toFixed(0)} (${clock.toFixed(0)}) ms`;
const firsts: Cost[] = [];
const laters: Cost[] = [];
let longest: Cost = { cpu: 0, clock: 0 };

/** Starts to watch the event loop's turns; what it gives tells the longest since then. */
function watchTurns(): () => Cost {
  const most: Cost = { cpu: 0, clock: 0 };
  let [cpu, clock] = [process.threadCpuUsage(), performance.now()];
  let next: NodeJS.Immediate;
  const turn = () => {
    const [nowCpu, now] = [process.threadCpuUsage(), performance.now()];
    most.cpu = Math.max(most.cpu, (nowCpu.user + nowCpu.system - cpu.user - cpu.system) / 1000);
    most.clock = Math.max(most.clock, now - clock);
    [cpu, clock] = [nowCpu, now];
    next = setImmediate(turn);
  };
  next = setImmediate(turn);
  return () => {
    clearImmediate(next);
    turn();
    clearImmediate(next);
    longest = { cpu: Math.max(longest.cpu, most.cpu), clock: Math.max(longest.clock, most.clock) };
    return most;
  };
}

function quantile(costs: Cost[], share: number): Cost {
  const at = (of: (cost: Cost) => number) =>
    costs.map(of).sort((a, b) => a - b)[Math.min(costs.length - 1, Math.floor(share * costs.length))]!;
  return { cpu: at(({ cpu }) => cpu), clock: at(({ clock }) => clock) };
}

/** The first page, then later ones. */
async function measure(what: string, ask: (offset: number) => Promise<{ total: number }>): Promise<void> {
  await wait(5);
  const turns = watchTurns();
  const first = await costOf(() => ask(0));
  const { total } = first.value;
  const later: Cost[] = [];
  for (let i = 0; i < laterPages; i++) {
    const offset = randomInt(random, Math.max(1, total));
    later.push(await costOf(() => ask(offset)));
    await nextTurn();
  }
  const pause = turns();
  firsts.push(first);
  laters.push(...later);
  const median = shown(quantile(later, 0.5));
  console.log(
    `${what}, ${total} rows: first ${shown(first)}, later ${median}, p95 ${shown(quantile(later, 0.95))}; longest turn ${shown(pause)}`,
  );
}

try {
  mkdirSync(root, { recursive: true });
  const { project, hash } = makeRowsOfImages(root, count);
  const mos = new Map(Array.from({ length: count / 5 }, (_, i) => [hash(5 * i), 1 + (i % 5)]));
  const splitOf = (one: string) => (one.endsWith("0") ? ("test" as const) : ("train" as const));
  const browser = openBrowser(project);
  console.log(
    `Processor time (time by the clock). ${count} images, 100 rows a page; ${count} pairs, 50 rows a page.`,
  );
  globalThis.gc?.();
  const before = process.memoryUsage();
  const images = (query: Partial<ImageQuery>) => (offset: number) =>
    browser.images({ sort: "path", descending: false, limit: 100, ...query, offset });
  await wait(5);
  const turns = watchTurns();
  const opened = process.cpuUsage();
  const ahead = await costOf(() => {
    browser.setContext(liveContext(project, { mos, splitOf }));
    return images({ sort: "score" })(0);
  });
  console.log(`opened and the first page by score at once: ${shown(ahead)}; longest turn ${shown(turns())}`);
  // Behind the first page the server reads on.
  await images({ sort: "teacher" })(0);
  const { user, system } = process.cpuUsage(opened);
  console.log(`all that is read ahead: ${((user + system) / 1000).toFixed(0)} ms of processor time`);
  await measure("by path", images({}));
  await measure("by score, descending", images({ sort: "score", descending: true }));
  await measure("by score in 2..4", images({ sort: "score", score: [2, 4] }));
  await measure("by path, text", images({ text: "folder-17/" }));
  await measure("by score, training images", images({ sort: "score", split: "train" }));
  await measure("by MOS", images({ sort: "mos" }));
  await measure("by date", images({ sort: "modified", descending: true }));
  await measure("by the teacher's score", images({ sort: "teacher", descending: true }));
  await measure("by disagreement", images({ sort: "disagreement", descending: true }));
  const asked = (query: Partial<PairQuery>) => (offset: number) =>
    pairs(browser, { show: "all", sort: "sampled", descending: false, limit: 50, ...query, offset });
  await measure("pairs as sampled (reads pairs)", asked({}));
  await measure("pairs by confidence", asked({ sort: "confidence" }));
  await measure(
    "kept pairs by disagreement",
    asked({ show: "kept", sort: "disagreement", descending: true }),
  );
  await wait(5000);
  putScores(project, "calibrate-1", [[hash(0), 1]]);
  await measure("by score, a score was written (reads scores)", images({ sort: "score" }));
  console.log(
    `all: first pages p50 ${shown(quantile(firsts, 0.5))}, p95 ${shown(quantile(firsts, 0.95))}; ` +
      `later pages p50 ${shown(quantile(laters, 0.5))}, p95 ${shown(quantile(laters, 0.95))}; ` +
      `longest turn ${shown(longest)}`,
  );
  globalThis.gc?.();
  const after = process.memoryUsage();
  const more = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1e6;
  console.log(`what is kept: ${more.toFixed(0)} MB of heap and arrays (with --expose-gc)`);
  browser.close();
} finally {
  rmSync(root, { recursive: true, force: true });
}
