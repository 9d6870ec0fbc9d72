// Requests a second of `leaf serve` with 1, 8 and 64 callers on kept connections, in turn with what no service could do without: the
// bare network, and decoding with the network, both in a process of their own. p50 and p99; memory of the service
// over many requests; what was answered at the shutdown. Callers share the cores with the service.
// node bench/serve.ts [atto | lite0 | base | FOLDER of a student] [image=demo/photos/coffee.jpg] [seconds=5] [rounds=3] [requests=100000]
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import sharp from "sharp";
import { type Family, studentOf } from "./suite/students.ts";

const [name = "lite0", image = "demo/photos/coffee.jpg", seconds = "5", rounds = "3", requests = "100000"] =
  process.argv.slice(2);
const folder = existsSync(name) ? name : await studentOf(name as Family);
const agent = new Agent({ keepAlive: true });
const photo = readFileSync(image);
let { child, port } = await startService(folder);
process.once("exit", () => child.kill());

await callers(8, 1000, photo);
const bare: { network: number; both: number }[] = [];
const found = new Map<number, { rate: number; latencies: number[] }[]>([1, 8, 64].map((n) => [n, []]));
for (let round = 0; round < Number(rounds); round++) {
  bare.push(
    JSON.parse(
      execFileSync(process.execPath, ["bench/serve/bare.ts", folder, image, seconds], { encoding: "utf8" }),
    ),
  );
  for (const [n, all] of found) all.push(await callers(n, Number(seconds) * 1000, photo));
}
const network = bare.map((one) => one.network);
const both = bare.map((one) => one.both);
console.log(`bare network: ${median(network).toFixed(1)}/s [${range(network)}]`);
console.log(`decode and network: ${median(both).toFixed(1)}/s [${range(both)}]`);
for (const [n, all] of found) {
  const rates = all.map(({ rate }) => rate);
  const latencies = all.flatMap((one) => one.latencies).sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(share * (latencies.length - 1))]!.toFixed(0);
  const share = (of: number[]) => (median(rates) / median(of)).toFixed(2);
  console.log(
    `${n} callers: ${median(rates).toFixed(1)}/s [${range(rates)}], ${share(network)} of the network, ${share(both)} of both; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, n = ${latencies.length}`,
  );
}

const last = Array.from({ length: 16 }, () => ask(photo));
await new Promise((resolve) => setTimeout(resolve, 30));
const end = await stopService();
const answers = await Promise.allSettled(last);
const ends = Map.groupBy(answers, (one) => (one.status === "fulfilled" ? "answered" : String(one.reason)));
const told = [...ends].map(([how, all]) => `${all.length} ${how}`).join(", ");
console.log(`16 requests, and SIGTERM 30 ms later: ${told}; exit ${end}`);

// What a request leaves behind depends neither on the student nor on the image: the least of both makes the most requests.
({ child, port } = await startService("test/fixtures/student"));
const small = await sharp(photo).resize(64, 64).png().toBuffer();
for (let part = 1, done = 0; part <= 10; part++) {
  const until = Math.round((Number(requests) * part) / 10);
  const { rate } = await callers(8, Number.POSITIVE_INFINITY, small, until - done);
  done = until;
  console.log(`memory after ${done} requests: ${memoryMB(child)} MB, ${rate.toFixed(0)}/s`);
}
await stopService();
agent.destroy();

async function stopService(): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  return ended;
}

async function startService(student: string): Promise<{ child: ChildProcess; port: number }> {
  const started = spawn(
    process.execPath,
    ["bin/leaf.js", "serve", "--student", student, "--port", "0", "--json"],
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

function ask(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/octet-stream", "content-length": body.length };
    const asked = request(
      { host: "127.0.0.1", port, path: "/v1/score", method: "POST", agent, headers },
      (answer) => {
        answer.resume();
        answer.once("end", () => (answer.statusCode === 200 ? resolve() : reject(answer.statusCode)));
      },
    );
    asked.once("error", reject);
    asked.end(body);
  });
}

async function callers(
  n: number,
  forMs: number,
  body: Buffer,
  most = Number.POSITIVE_INFINITY,
): Promise<{ rate: number; latencies: number[] }> {
  const latencies: number[] = [];
  let asked = 0;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: n }, async () => {
      while (performance.now() < start + forMs && asked++ < most) {
        const from = performance.now();
        await ask(body);
        latencies.push(performance.now() - from);
      }
    }),
  );
  return { rate: (latencies.length * 1000) / (performance.now() - start), latencies };
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
