import { execFile, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { python } from "./python.ts";
import { processSeconds, type Work } from "./work.ts";

const peers = path.resolve("bench/suite/peers");
/** As LEAF starts its trainer; `theirs` is PyTorch's own way. */
const ours = { OMP_WAIT_POLICY: "PASSIVE" };
const theirs = { OMP_WAIT_POLICY: undefined };

/** Runs a script of `peers` with the trainer of a checkout, and reads the JSON that it ends with. */
export async function trainerScript(
  leaf: string,
  script: string,
  args: string[],
  env: NodeJS.ProcessEnv = ours,
) {
  const checkout = path.resolve(path.dirname(leaf), "..");
  const paths = [path.join(checkout, "src/python"), path.resolve("src/python/tests")];
  const { stdout } = await promisify(execFile)(python(), [path.join(peers, script), ...args], {
    env: {
      ...process.env,
      ...env,
      PYTHONPATH: paths.join(path.delimiter),
      PYTHONWARNINGS: "ignore",
      HF_HUB_OFFLINE: "1",
    },
  });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as {
    trained: number;
    bare: number;
    processor: number;
  };
}

async function made(leaf: string, model: string, folder: string, crop: number, images: number) {
  const data = path.join(folder, model);
  await trainerScript(leaf, "make_training.py", [model, data, String(crop), String(images)]);
  return data;
}

/** The same images, labels, batch and optimiser; a labelled pair is one whose loss was taken. */
function distil(model: string, name: string, crop: number, images: number): Work {
  return {
    name: `distil: 1,000 labelled pairs of ${images} images, ${name} at ${crop} pixels`,
    peer: "a script of two passes a pair (PyTorch, Pillow, DataLoader of two workers)",
    aim: 8,
    prepare: async (folder, leaf) => {
      const data = await made(leaf, model, folder, crop, images);
      let bare = 0;
      return {
        ours: async () => {
          const found = await trainerScript(leaf, "train_leaf.py", [data, path.join(data, "out")]);
          bare = found.bare;
          return found.trained;
        },
        peer: async () => (await trainerScript(leaf, "train_pairs.py", [data, "64"])).trained,
        // Measured in the same process, right after.
        floor: async () => bare,
      };
    },
  };
}

/** A process that keeps one core busy, while something else is done. */
async function beside<T>(work: () => Promise<T>): Promise<T> {
  // It ends with this process, however that ends.
  const loop = `for (let i = 0; ; i++) if (i % 1e8 === 0 && process.ppid !== ${process.pid}) process.exit()`;
  const neighbour = spawn(process.execPath, ["-e", loop], { stdio: "ignore" });
  try {
    return await work();
  } finally {
    neighbour.kill("SIGKILL");
  }
}

const busy: Work = {
  name: "distil beside one busy process: 1,000 labelled pairs, ConvNeXt-atto at 64 pixels",
  peer: "the same with PyTorch's own wait policy",
  aim: 2,
  prepare: async (folder, leaf) => {
    const data = await made(leaf, "atto", folder, 64, 192);
    const trained = async (env: NodeJS.ProcessEnv) =>
      (await trainerScript(leaf, "train_leaf.py", [data, path.join(data, "out")], env)).trained;
    return {
      ours: () => beside(() => trained(ours)),
      peer: () => beside(() => trained(theirs)),
      // With the machine for itself.
      floor: () => trained(ours),
    };
  },
};

const rated = 500;

/** Features are there from a first time. Each time calibrates anew, the whole process. */
const closedForm: Work = {
  name: `\`leaf calibrate\`, ${rated} ratings, features cached, EfficientNet-Lite0`,
  peer: "one epoch of fine-tuning on them (of 20 or more)",
  aim: 2,
  prepare: async (folder, leaf) => {
    mkdirSync(path.join(folder, "images"));
    let scores = "image,mos\n";
    for (let i = 0; i < rated; i++) {
      const sigma = 2 + (i % 50);
      const noise = { type: "gaussian" as const, mean: 128, sigma };
      await sharp({ create: { width: 96, height: 96, channels: 3, background: "#000", noise } })
        .jpeg()
        .toFile(path.join(folder, "images", `${i}.jpg`));
      scores += `${i}.jpg,${(4.6 - (3.2 * sigma) / 52 + 0.3 * Math.sin(i)).toFixed(3)}\n`;
    }
    writeFileSync(path.join(folder, "mos.csv"), scores);
    writeFileSync(
      path.join(folder, "leaf.yaml"),
      [
        "images: images",
        "mos: { file: mos.csv, image: image, score: mos, range: [1, 5] }",
        "split: { val: 0, test: 0 }",
        "student: { model: efficientnet-lite0, input: { resize: 72, crop: 64, views: 1 } }",
        "calibrate: { from: backbone, ratio: 1 }",
        "",
      ].join("\n"),
    );
    const calibrate = () => processSeconds(process.execPath, [leaf, "calibrate"], { cwd: folder });
    await calibrate();
    return {
      ours: () => {
        rmSync(path.join(folder, ".leaf", "stages", "calibrate"), { recursive: true, force: true });
        return calibrate();
      },
      peer: () => processSeconds(python(), [path.join(peers, "fine_tune.py"), folder]),
    };
  },
};

export const training: readonly Work[] = [
  distil("lite0", "EfficientNet-Lite0", 96, 128),
  distil("tiny", "ConvNeXt-tiny", 64, 128),
  busy,
  closedForm,
];
