// How near the openai teacher comes to what a server can do, and whether its memory grows: a stub server in a process of its own answers
// after LATENCY ms, SLOTS requests at a time, so that it can do SLOTS / LATENCY at most.
// On a busy machine neither gets there: the last lines compare the teacher with a bare HTTP client that sends the same bytes, in turns.
// node --expose-gc bench/teacher-client.ts [requests=100000] [latency=50] [slots=64] [concurrency=64]
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { hashBytes } from "../src/engine/base/files.ts";
import { forEachBounded } from "../src/engine/base/pool.ts";
import { teacherSchema } from "../src/engine/config/teacher.ts";
import { createTeacher } from "../src/engine/teachers/createTeacher.ts";
import { createHttpClient } from "../src/engine/teachers/openai/http.ts";
import { toDataUrl } from "../src/engine/teachers/openai/picture.ts";
import type { Teacher, TeacherImage } from "../src/engine/teachers/teacher.ts";
import { completion } from "../test/support/chatServer.ts";
import { teacherImages } from "../test/support/teacherImages.ts";

const [requests = 100_000, latency = 50, slots = 64, concurrency = 64] = process.argv.slice(2).map(Number);

if (process.send) await stub();
else await bench();

/** Answers in turn; counts what it has done, and how long all its slots were taken. */
async function stub(): Promise<void> {
  const body = JSON.stringify(completion({ good: 0.6, fair: 0.2, excellent: 0.1, poor: 0.05, bad: 0.04 }));
  const waiting: (() => void)[] = [];
  let busy = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === "GET") return void response.end('{"data":[]}');
    request.once("end", () => {
      const start = () => {
        busy++;
        setTimeout(() => {
          response.setHeader("content-type", "application/json").end(body);
          busy--;
          waiting.shift()?.();
        }, latency);
      };
      if (busy < slots) start();
      else waiting.push(start);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  process.send!((server.address() as AddressInfo).port);
  process.once("disconnect", () => process.exit());
}

async function bench(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), [requests, latency, slots, concurrency].map(String), {
    execArgv: [],
  });
  const [port] = (await once(child, "message")) as [number];
  const config = teacherSchema.parse({
    kind: "openai",
    endpoint: `http://127.0.0.1:${port}/v1`,
    model: "stub",
    concurrency,
  });
  const teacher = await createTeacher(config, { root: "." });
  const pictures = await teacherImages(50, 256);
  // Every image is another one, as in a dataset, so that none is found ready.
  function* images(n: number): Generator<TeacherImage> {
    for (let i = 0; i < n; i++)
      yield { hash: hashBytes(Buffer.from(String(i))), name: `${i}.png`, read: pictures[i % 50]!.read };
  }
  const ceiling = (slots * 1000) / latency;
  console.log(
    `load ${os.loadavg()[0]!.toFixed(1)} on ${os.availableParallelism()} cores; the stub can do ${ceiling} requests/s`,
  );
  const delay = monitorEventLoopDelay();
  delay.enable();
  const started = performance.now();
  let [done, failed, last, lastAt] = [0, 0, 0, started];
  const cpu = process.cpuUsage();
  await forEachBounded(images(requests), teacher.concurrency ?? 1, async (image) => {
    const [judged] = await teacher.judgePoints([image]);
    if (!judged!.ok) failed++;
    if (++done % Math.ceil(requests / 10) !== 0) return;
    const now = performance.now();
    const rate = ((done - last) * 1000) / (now - lastAt);
    [last, lastAt] = [done, now];
    global.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const mb = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`;
    console.log(
      `${done} done, ${rate.toFixed(0)}/s (${((100 * rate) / ceiling).toFixed(1)} %), heap ${mb(heapUsed)}, resident ${mb(rss)}`,
    );
  });
  const seconds = (performance.now() - started) / 1000;
  const used = process.cpuUsage(cpu);
  console.log(
    `${requests} requests in ${seconds.toFixed(1)} s: ${(requests / seconds).toFixed(0)}/s, ${((100 * requests) / seconds / ceiling).toFixed(1)} % of the ceiling; ` +
      `${((used.user + used.system) / 1000 / requests).toFixed(2)} ms of CPU a request, event loop late by ${(delay.mean / 1e6 - 10).toFixed(1)} ms; ${failed} failed`,
  );
  await compare(teacher, port, pictures, ceiling);
  await teacher.close();
  child.disconnect();
}

/** Requests a second of the teacher and of a client that does nothing but send and read, in five turns each. */
async function compare(
  teacher: Teacher,
  port: number,
  pictures: TeacherImage[],
  ceiling: number,
): Promise<void> {
  const turn = Math.min(2000, requests);
  const http = createHttpClient();
  const prompt = Buffer.alloc(600, "a");
  const urls = await Promise.all(pictures.map(async (one) => toDataUrl(await one.read(), null, one.name)));
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  let made = 0;
  const ways: Record<string, () => Promise<unknown>> = {
    bare: () =>
      forEachBounded(Array(turn).keys(), concurrency, async (i) => {
        const body = [prompt, urls[i % 50]!];
        JSON.parse((await http.send({ url, method: "POST", headers: {}, body, timeoutMs: 60_000 })).body);
      }),
    teacher: () =>
      forEachBounded(Array(turn).keys(), teacher.concurrency ?? 1, async (i) => {
        const hash = hashBytes(Buffer.from(`turn ${made++}`));
        await teacher.judgePoints([{ hash, name: `${i}.png`, read: pictures[i % 50]!.read }]);
      }),
  };
  const rates: Record<string, number[]> = { bare: [], teacher: [] };
  for (let i = 0; i < 5; i++)
    for (const [name, way] of Object.entries(ways)) {
      const started = performance.now();
      await way();
      rates[name]!.push((turn * 1000) / (performance.now() - started));
    }
  http.close();
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const [bare, ours] = [median(rates.bare!), median(rates.teacher!)];
  const share = (rate: number) =>
    `${rate.toFixed(0)}/s (${((100 * rate) / ceiling).toFixed(1)} % of the ceiling)`;
  console.log(
    `median of five turns of ${turn}: bare client ${share(bare)}, teacher ${share(ours)}: ${((100 * ours) / bare).toFixed(1)} %`,
  );
}
