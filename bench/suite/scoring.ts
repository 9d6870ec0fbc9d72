import { execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { python } from "./python.ts";
import { type Family, int8Of, jpegs, studentOf } from "./students.ts";
import { processSeconds, type Work } from "./work.ts";

const names = { atto: "ConvNeXt-atto", lite0: "EfficientNet-Lite0", base: "ConvNeXt-Base" };
const peerEnv = { PYTHONPATH: "src/python", PYTHONWARNINGS: "ignore" };
const peerFile = "bench/suite/peers/score.py";

/** What is left of scoring if all but the slower of decoding and the network cost nothing. */
function floor(
  student: string,
  images: readonly string[],
): { decoding: number; network: number; one: number } {
  const file = "bench/suite/peers/floor.ts";
  return JSON.parse(execFileSync(process.execPath, [file, student, ...images], { encoding: "utf8" }));
}

function many(family: Family, megapixels: 1 | 12, count: number, aim: number): Work {
  return {
    name: `\`leaf score\`, ${count} JPEGs of ${megapixels === 1 ? "1 megapixel" : `${megapixels} megapixels`}, ${names[family]}`,
    peer: "PyTorch, Pillow, DataLoader of two workers",
    aim,
    prepare: async (_folder, leaf) => {
      const student = await studentOf(family);
      const images = await (megapixels === 12 ? jpegs(count, 4000, 3000) : jpegs(count, 1200, 900));
      return {
        ours: () => processSeconds(process.execPath, [leaf, "score", "--student", student, ...images]),
        peer: () =>
          processSeconds(python(), [peerFile, path.join(student, "network.pt"), ...images], { env: peerEnv }),
        floor: async () => {
          const { decoding, network } = floor(student, images);
          return Math.max(decoding, network);
        },
      };
    },
  };
}

/** Seconds of one answer, asked one after the other of a process that has scored before. */
async function warmSeconds(command: string, args: string[], images: readonly string[], env = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (image: string) => {
    child.stdin.write(`${image}\n`);
    if ((await answers.next()).done) throw new Error(`${command} ${args.join(" ")} gave no answer`);
  };
  for (const image of images.slice(0, 2)) await ask(image);
  const start = performance.now();
  for (const image of images) await ask(image);
  const seconds = (performance.now() - start) / 1000 / images.length;
  child.stdin.end();
  await new Promise((resolve) => child.once("close", resolve));
  return seconds;
}

function one(family: Family): Work {
  return {
    name: `one image of 12 megapixels, warm, ${names[family]}`,
    peer: "PyTorch and Pillow, warm",
    aim: 3,
    prepare: async (_folder, leaf) => {
      const student = await studentOf(family);
      const images = (await jpegs(16, 4000, 3000)).slice(0, 8);
      const network = path.join(student, "network.pt");
      return {
        ours: () => warmSeconds(process.execPath, [leaf, "score", "--student", student, "-"], images),
        peer: () => warmSeconds(python(), [peerFile, network, "-"], images, peerEnv),
        floor: async () => floor(student, images).one,
      };
    },
  };
}

function int8(family: Family, count: number): Work {
  return {
    name: `\`leaf score\`, ${count} JPEGs of 1 megapixel, ${names[family]} in 8-bit integers`,
    peer: "the same in floats",
    aim: 2,
    prepare: async (_folder, leaf) => {
      const images = await jpegs(count, 1200, 900);
      const [floats, integers] = [await studentOf(family), await int8Of(family)];
      const score = (student: string) => () =>
        processSeconds(process.execPath, [leaf, "score", "--student", student, ...images]);
      return { ours: score(integers), peer: score(floats) };
    },
  };
}

export const scoring: readonly Work[] = [
  many("atto", 12, 16, 5),
  many("atto", 1, 64, 3),
  many("lite0", 12, 16, 4),
  many("lite0", 1, 64, 4),
  many("base", 12, 8, 2.5),
  many("base", 1, 16, 2.5),
  one("lite0"),
  int8("lite0", 64),
];
