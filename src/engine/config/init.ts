import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { writeOutput } from "../base/outputs.ts";
import { imageExtensions } from "../images/format.ts";
import { factsOf } from "../mos/formats.ts";
import { guessScores, type ScoresGuess } from "../mos/guess.ts";
import { defaultSimilar } from "./data.ts";

export interface InitResult {
  file: string;
  folder: string;
  images: number;
  mos: string | null;
  /** How its scores are read, where there is more to say than that there are some. */
  scores: string | null;
  student: string;
}

const enough = 20_000;

/** Writes a commented `leaf.yaml` that fits what the folder holds. Throws LeafError `usage` if there is one already. */
export async function initProject(dir: string, options: { force: boolean }): Promise<InitResult> {
  const root = path.resolve(dir);
  if (!existsSync(root))
    throw new LeafError("usage", say`The folder ${dir} does not exist.`, {
      remedy: say`Make it and put images in it.`,
    });
  const file = path.join(root, "leaf.yaml");
  if (existsSync(file) && !options.force) {
    throw new LeafError("usage", say`${file} exists already.`, {
      file,
      remedy: say`Edit it, or overwrite it with --force.`,
    });
  }
  const { folder, count } = await findImages(root);
  const mos = await guessScores(root);
  const gpu = existsSync("/proc/driver/nvidia/version");
  const student = gpu ? "facebook/convnext-base-224-22k-1k" : "efficientnet-lite0";
  await writeOutput(file, template(folder, mos, student, gpu), { force: options.force });
  return {
    file,
    folder,
    images: count,
    mos: mos && !mos.unsure ? mos.file : null,
    scores: (mos && scoresWords(mos)) ?? null,
    student,
  };
}

/** The folder (below root, at most two levels down) with the most images. */
async function findImages(root: string): Promise<{ folder: string; count: number }> {
  const counts = new Map<string, number>();
  let seen = 0;
  const visit = async (dir: string, top: string, depth: number): Promise<void> => {
    // What cannot be read is told by `leaf check`.
    for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
      if (seen > enough) return;
      if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
      // A dataset is often a folder of links to where the images are.
      const found = entry.isSymbolicLink()
        ? await stat(path.join(dir, entry.name)).catch(() => undefined)
        : entry;
      if (found?.isDirectory() && depth < 3)
        await visit(path.join(dir, entry.name), depth === 0 ? entry.name : top, depth + 1);
      else if (found?.isFile() && isImageName(entry.name)) {
        counts.set(depth === 0 ? "." : top, (counts.get(depth === 0 ? "." : top) ?? 0) + 1);
        seen++;
      }
    }
  };
  await visit(root, "", 0);
  const best = [...counts].sort((a, b) => b[1] - a[1])[0];
  return best ? { folder: best[0], count: best[1] } : { folder: "photos", count: 0 };
}

function template(folder: string, scores: ScoresGuess | undefined, student: string, gpu: boolean): string {
  const split = scores?.split
    ? `# The dataset's official split.\nsplit: { file: ${quote(scores.split)} }`
    : `# Shares of the images that are held out: test for \`evaluate\`, val to choose the best epoch. Near duplicates stay together.\nsplit: { test: 0.2, val: 0.1, seed: 0, similar: ${defaultSimilar} }`;
  return `# LEAF: distil an image quality model from a teacher, then calibrate it with few human scores.
# Stages: label -> distill -> calibrate -> evaluate. \`leaf run\` runs those that are not fresh.

# A folder or globs, relative to this file.
images: ${quote(folder)}

${mosLines(scores)}

${split}

# The judge. \`embedded\` needs no GPU and no download. It sees distortions and is blind to content.
${gpu ? "" : withoutGpu}teacher: { kind: embedded }

label:
  pairsPerImage: 8      # more pairs give a better order and cost more
  minConfidence: 0.1    # LEAF discards pairs with less confidence

student:
  # facebook/convnext-base-224-22k-1k is the paper's ConvNeXt-Base (hub and GPU); efficientnet-lite0 comes from PyPI and trains on a CPU.
  model: ${student}
  input: { resize: ${student === "efficientnet-lite0" ? 256 : 384}, crop: 224 }
  # The demo scores small photos at full size in five views. This takes five times as long to score.
  # input: { resize: null, crop: 96, views: 5 }

distill:
  epochs: ${student === "efficientnet-lite0" ? 10 : 20}
  loss: { point: 1, pair: 1 }
  # With fewer than some 200 validation images, the best epoch is a matter of luck: the last one is safer.
  # keep: last

calibrate:
  ratio: 0.1            # share of the training images whose MOS LEAF uses
  # For \`method: fine-tune\`: few images need more passes.
  # epochs: 20
  # For \`method: fine-tune\`: with fewer ratings than this only the head learns.
  # headOnlyBelow: 30

evaluate:
  split: test
  bootstrap: 1000
`;
}

const withoutGpu = `# For real photos without a GPU: a model of images and text, which sees content. LEAF asks before it downloads 813 MB.
# teacher: { kind: clip, model: google/siglip-base-patch16-224 }
`;

function mosLines(scores: ScoresGuess | undefined): string {
  if (!scores)
    return "# Human scores, if you have some: a CSV file with a row for each rated image.\n# mos: { file: mos.csv, image: image, score: mos, range: [1, 5] }";
  const { file, format, image, score, std, rater, raters, votes, range, unsure } = scores;
  const told = scoresWords(scores);
  if (unsure) return `# ${told}\n${unsureLines(scores, unsure)}`;
  const pairs = Object.entries({ file, format, image, score, std, rater, raters, votes }).flatMap(
    ([key, value]) =>
      value === undefined
        ? []
        : [`${key}: ${Array.isArray(value) ? `[${value.map(quote).join(", ")}]` : quote(value)}`],
  );
  if (range) pairs.push(`range: [${range.join(", ")}]`);
  return `${told ? `# ${told}\n` : ""}mos: { ${pairs.join(", ")} }`;
}

/** What may be written of columns that do not say what they are. */
function unsureLines({ file, image, range = [1, 5] }: ScoresGuess, columns: readonly string[]): string {
  const names = columns.map(quote).join(", ");
  const line = (keys: string) =>
    `# mos: { file: ${quote(file)}, image: ${quote(image!)}, ${keys}, range: [${range.join(", ")}] }`;
  if (columns.length === 1) return line(`score: ${names}`);
  return [
    "# A column for each person:",
    line(`raters: [${names}]`),
    "# Each a score of something else:",
    line(`score: [${names}]`),
  ].join("\n");
}

/** What is understood of a file of scores, where it is more than a plain table of means. */
function scoresWords(scores: ScoresGuess): string | undefined {
  const { file, format, rater, raters, votes, anonymous, unsure } = scores;
  const facts = factsOf(format);
  if (facts) return `${facts.title}: LEAF knows the other keys of this dataset.`;
  if (votes) return `Counts of votes, from the lowest grade to the highest: the MOS is their mean.`;
  if (unsure) {
    const [first, ...more] = unsure;
    if (more.length === 0)
      return `${file} has numbers in ${first}, and no column that is called a score: write \`score: ${first}\` if these are scores.`;
    return `${file} has numbers in ${unsure.join(", ")}, and no column that is called a score: write \`raters\` if each is one person's ratings, \`score\` if each is of something else.`;
  }
  if (raters) return "A column a rater: the MOS is the mean of an image's ratings.";
  if (rater) return "One rating a row: the MOS is the mean of an image's ratings.";
  if (anonymous)
    return "Several rows an image, whose raters are not named: the MOS is the mean of an image's ratings.";
  return undefined;
}

function quote(text: string): string {
  return /^[A-Za-z_./][\w./-]*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function isImageName(name: string): boolean {
  return imageExtensions.includes(path.extname(name).slice(1).toLowerCase());
}
