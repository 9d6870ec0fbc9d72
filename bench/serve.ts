// Requests a second of `leaf serve` with 1, 8 and 64 callers on kept connections, against the bare network on the same pixels without
// HTTP and decoding, interleaved; p50 and p99; memory of the service at the beginning and the end; what came back at the shutdown.
// node bench/serve.ts [student=test/fixtures/student] [image=demo/photos/coffee.jpg] [seconds=5] [rounds=3]
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import path from "node:path";
import { decodeImage } from "../src/engine/images/decode.ts";
import { prepare, views } from "../src/engine/images/views.ts";
import { openStudent } from "../src/engine/student/student.ts";

const [folder = "test/fixtures/student", image = "demo/photos/coffee.jpg", seconds = "5", rounds = "3"] =
  process.argv.slice(2);
const body = readFileSync(image);
const { child, port } = await startService();
const agent = new Agent({ keepAlive: true });
const student = await openStudent(path.resolve(folder));
const seen = views(await prepare(await decodeImage(image), student.card.input), student.card.input);

await callers(1, 1);
const before = memoryMB(child);
const bare: number[] = [];
const found = new Map<number, { rate: number; latencies: number[] }[]>([1, 8, 64].map((n) => [n, []]));
for (let round = 0; round < Number(rounds); round++) {
  bare.push(await network(Number(seconds)));
  for (const [n, all] of found) all.push(await callers(n, Number(seconds)));
}
const after = memoryMB(child);
const base = median(bare);
console.log(`bare network: ${base.toFixed(1)}/s [${range(bare)}]`);
for (const [n, all] of found) {
  const rates = all.map(({ rate }) => rate);
  const latencies = all.flatMap((one) => one.latencies).sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!.toFixed(0);
  console.log(
    `${n} callers: ${median(rates).toFixed(1)}/s [${range(rates)}], ${(median(rates) / base).toFixed(2)} of the bare network; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, n = ${latencies.length}`,
  );
}
console.log(`memory of the service: ${before} MB, then ${after} MB`);
const last = Array.from({ length: 16 }, () => ask());
await new Promise((resolve) => setTimeout(resolve, 30));
child.kill("SIGTERM");
const answers = await Promise.allSettled(last);
const dropped = answers.filter((one) => one.status === "rejected").length;
const [code] = await new Promise<[number | null]>((resolve) =>
  child.once("close", (ended) => resolve([ended])),
);
console.log(`at the shutdown: ${answers.length - dropped} of ${answers.length} answered, exit ${code}`);
agent.destroy();
await student.close();

async function startService(): Promise<{ child: ChildProcess; port: number }> {
  const started = spawn(
    process.execPath,
    ["bin/leaf.js", "serve", "--student", folder, "--port", "0", "--json"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let said = "";
  for await (const chunk of started.stdout!) {
    said += String(chunk);
    if (said.trimEnd().endsWith("}")) break;
  }
  return { child: started, port: Number(new URL(JSON.parse(said).url).port) };
}

function ask(): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/octet-stream", "content-length": body.length };
    const asked = request(
      { host: "127.0.0.1", port, path: "/v1/score", method: "POST", agent, headers },
      (answer) => {
        answer.resume();
        answer.once("end", () =>
          answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
        );
      },
    );
    asked.once("error", reject);
    asked.end(body);
  });
}

async function callers(n: number, forSeconds: number): Promise<{ rate: number; latencies: number[] }> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + forSeconds * 1000;
  await Promise.all(
    Array.from({ length: n }, async () => {
      while (performance.now() < end) {
        const from = performance.now();
        await ask();
        latencies.push(performance.now() - from);
      }
    }),
  );
  return { rate: (latencies.length * 1000) / (performance.now() - start), latencies };
}

async function network(forSeconds: number): Promise<number> {
  let done = 0;
  const start = performance.now();
  while (performance.now() - start < forSeconds * 1000) {
    await student.judgeViews(seen);
    done++;
  }
  return (done * 1000) / (performance.now() - start);
}

function memoryMB({ pid }: ChildProcess): number {
  try {
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024);
  } catch {
    return Number.NaN;
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function range(values: number[]): string {
  return `${Math.min(...values).toFixed(1)}, ${Math.max(...values).toFixed(1)}`;
}
