// How far other ways to a label lie from the exact one: a few sampled answers, and pairs side by side in one image.
// usage: nice node tools/tiny-teacher/ways.ts [crops of each photo and distortion]
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { hashBytes } from "../../src/engine/base/files.ts";
import { seededRandom } from "../../src/engine/base/random.ts";
import { teacherSchema } from "../../src/engine/config/teacher.ts";
import { labelDataset } from "../../src/engine/labelling/labelling.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { srcc } from "../../src/engine/metrics/rank.ts";
import { createTeacher } from "../../src/engine/teachers/createTeacher.ts";
import {
  combineOrders,
  expectedScore,
  pairConfidence,
  type RatingProbabilities,
} from "../../src/engine/teachers/judgement.ts";
import { posteriorMean } from "../../src/engine/teachers/openai/sampling.ts";
import type { TeacherImage } from "../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../src/words/text.ts";
import { serveTinyTeacher } from "./server.ts";
import { accuracy, makeUnseen, unseenPhotos } from "./unseen.ts";

const folder = mkdtempSync(path.join(tmpdir(), "leaf-ways-"));
const images: TeacherImage[] = [];
const truth = new Map<string, number>();
for (const photo of unseenPhotos)
  for (const { image, mos } of await makeUnseen(folder, photo, Number(process.argv[2] ?? 1))) {
    const bytes = await readFile(path.join(folder, image));
    const hash = hashBytes(bytes);
    images.push({ hash, name: image, read: async () => bytes });
    truth.set(hash, mos);
  }
images.sort((a, b) => (a.hash < b.hash ? -1 : 1));

const server = await serveTinyTeacher();
/** In front of the server: refuses what a server of one image a question refuses. */
const oneImage = createServer(async (incoming, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (body.toString("latin1").split('"image_url":').length > 2)
    return void response.writeHead(400).end('{"error":{"message":"At most 1 image may be provided"}}');
  const url = `${server.endpoint.replace(/\/v1$/, "")}${incoming.url}`;
  const answer = await fetch(url, incoming.method === "POST" ? { method: "POST", body } : {});
  response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
}).listen(0, "127.0.0.1");
await new Promise((resolve) => oneImage.once("listening", resolve));

async function labelled(endpoint: string, only?: "pairs") {
  const config = teacherSchema.parse({ kind: "openai", endpoint, model: "tiny-teacher", concurrency: 2 });
  const teacher = await createTeacher(config, { root: folder });
  console.log(teacher.about && inEnglish(teacher.about));
  const store = openLabels(path.join(folder, `${only ?? "all"}.sqlite`));
  const pairs = { perImage: 6, strategy: "random", seed: 0 } as const;
  await labelDataset({ store, teacher, images: () => images, pairs, minConfidence: 0.1, only });
  const found = {
    points: [...store.points(teacher.fingerprint)],
    pairs: [...store.pairs(teacher.fingerprint)],
  };
  store.close();
  await teacher.close();
  return found;
}

try {
  const exact = await labelled(server.endpoint);
  const canvas = await labelled(`http://127.0.0.1:${(oneImage.address() as AddressInfo).port}/v1`, "pairs");
  report(exact, canvas);
} finally {
  oneImage.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

type Found = Awaited<ReturnType<typeof labelled>>;

function report(exact: Found, canvas: Found): void {
  const truths = Float64Array.from(exact.points, ({ image }) => truth.get(image)!);
  const scores = Float64Array.from(exact.points, ({ score }) => score);
  const right = (pairs: { a: string; b: string; p: number }[]) =>
    accuracy(pairs.map(({ a, b, p }) => ({ a: truth.get(a)!, b: truth.get(b)!, p })));
  const line = (name: string, values: Record<string, number | string>) =>
    console.log(
      name.padEnd(14),
      Object.entries(values)
        .map(([key, value]) => `${key} ${typeof value === "number" ? value.toFixed(3) : value}`)
        .join("  "),
    );
  const pairFigures = (pairs: { a: string; b: string; p: number }[]) => {
    const kept = pairs.filter(({ p }) => pairConfidence(p) >= 0.1);
    return {
      kept: kept.length / pairs.length,
      "kept right": right(kept).right,
      "all right": right(pairs).right,
    };
  };
  line("exact", { "SRCC truth": srcc(scores, truths) ?? Number.NaN, ...pairFigures(exact.pairs) });
  line("canvas", {
    "mean |p - p two|": mean(canvas.pairs.map(({ p }, i) => Math.abs(p - exact.pairs[i]!.p))),
    "same side": mean(canvas.pairs.map(({ p }, i) => Number(p > 0.5 === exact.pairs[i]!.p > 0.5))),
    ...pairFigures(canvas.pairs),
  });
  const random = seededRandom(1);
  const drawn = (p: readonly number[], n: number) => {
    const counts = p.map(() => 0);
    for (let i = 0; i < n; i++) {
      let left = random();
      let at = 0;
      for (; at < p.length - 1 && left > p[at]!; at++) left -= p[at]!;
      counts[at]!++;
    }
    return counts;
  };
  const repeats = 10;
  for (const prior of [1, 0.5, 2])
    for (const n of [4, 8, 16, 32]) {
      const all: Record<string, number>[] = [];
      for (let r = 0; r < repeats; r++) {
        const sampled = Float64Array.from(exact.points, ({ probabilities }) =>
          expectedScore(
            posteriorMean(
              drawn(probabilities as RatingProbabilities, n),
              prior,
            ) as unknown as RatingProbabilities,
          ),
        );
        const pairs = exact.pairs.map(({ a, b, pAB, pBA }) => {
          const side = (p: number) => posteriorMean(drawn([p, 1 - p], n), prior)[0]!;
          return { a, b, p: combineOrders(side(pAB!), side(pBA!)).p };
        });
        all.push({
          "mean |s - exact|": mean([...sampled].map((score, i) => Math.abs(score - scores[i]!))),
          "SRCC exact": srcc(sampled, scores) ?? Number.NaN,
          "SRCC truth": srcc(sampled, truths) ?? Number.NaN,
          "mean |p - exact|": mean(pairs.map(({ p }, i) => Math.abs(p - exact.pairs[i]!.p))),
          ...pairFigures(pairs),
        });
      }
      line(
        `n ${n} prior ${prior}`,
        Object.fromEntries(Object.keys(all[0]!).map((key) => [key, mean(all.map((one) => one[key]!))])),
      );
    }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
