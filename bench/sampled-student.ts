// What a student loses where its teacher's scores are estimated from a few sampled answers. The tiny multimodal teacher gives exact
// probabilities of photos it has not been fitted on; answers are drawn from them. The student is a ridge regression of the scores on features of
// several levels of the backbone as it comes (those of the closed form): it is fitted in milliseconds, so that many draws tell the mean. No pairs, no training of the network.
// usage: LEAF_PYTHON=… nice node bench/sampled-student.ts [folder that keeps the images; one of prove.ts --folder has 594 of them]
import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { hashBytes } from "../src/engine/base/files.ts";
import { seededRandom } from "../src/engine/base/random.ts";
import { openProject } from "../src/engine/config/project.ts";
import { teacherSchema } from "../src/engine/config/teacher.ts";
import { srcc } from "../src/engine/metrics/agreement.ts";
import { backboneStudent } from "../src/engine/pipeline/stages/backbone.ts";
import { gram, ridgePredict } from "../src/engine/selection/ridge.ts";
import { studentTable } from "../src/engine/selection/studentTable.ts";
import { createTeacher } from "../src/engine/teachers/createTeacher.ts";
import { expectedScore, type RatingProbabilities } from "../src/engine/teachers/judgement.ts";
import { posteriorMean } from "../src/engine/teachers/openai/sampling.ts";
import type { TeacherImage } from "../src/engine/teachers/teacher.ts";
import { serveTinyTeacher } from "../tools/tiny-teacher/server.ts";
import { makeUnseen, unseenPhotos, watchedPhotos } from "../tools/tiny-teacher/unseen.ts";

const folder = process.argv[2] ?? (await mkdtemp(path.join(tmpdir(), "leaf-sampled-")));
/** Of each photo the crops from this on are not learnt from. */
const firstTest = 3;
const draws = 20;

if (!existsSync(path.join(folder, "mos.csv"))) {
  const rows = ["image,mos"];
  for (const photo of [...unseenPhotos, ...watchedPhotos])
    for (const { image, mos } of await makeUnseen(path.join(folder, "images"), photo, 4))
      rows.push(`${image},${mos}`);
  await writeFile(path.join(folder, "mos.csv"), `${rows.join("\n")}\n`);
}
const [, ...lines] = (await readFile(path.join(folder, "mos.csv"), "utf8")).trim().split(/\r?\n/);
const seen = new Set<string>();
const images: (TeacherImage & { path: string; mos: number; test: boolean })[] = [];
for (const line of lines) {
  const [image, mos] = line.split(",") as [string, string];
  const file = path.join(folder, "images", image);
  const bytes = await readFile(file);
  const hash = hashBytes(bytes);
  if (seen.has(hash)) continue;
  seen.add(hash);
  images.push({
    hash,
    name: image,
    path: file,
    read: async () => bytes,
    mos: Number(mos),
    test: Number(image.split("_")[1]) >= firstTest,
  });
}

const server = await serveTinyTeacher();
const exact: RatingProbabilities[] = [];
try {
  const config = { kind: "openai", endpoint: server.endpoint, model: "tiny-teacher" };
  const teacher = await createTeacher(teacherSchema.parse(config), { root: folder });
  for (const image of images) {
    const [judged] = await teacher.judgePoints([image]);
    if (!judged!.ok) throw new Error(judged!.reason);
    exact.push(judged!.probabilities);
  }
  await teacher.close();
} finally {
  await server.stop();
}

await writeFile(
  path.join(folder, "features.leaf.yaml"),
  "images: images\nstudent: { model: efficientnet-lite0, input: { resize: null, crop: 96, views: 5 } }\npython: { threads: 1 }\n",
);
const project = await openProject(path.join(folder, "features.leaf.yaml"));
const backbone = await backboneStudent(project, {});
const table = await studentTable(project, backbone.key, backbone.dir, images, { threads: 1, levels: true });
const row = new Map(table.hashes.map((hash, i) => [hash, i]));
const dim = table.features.length / table.hashes.length;
const n = images.length;
const features = new Float64Array(n * dim);
for (const [i, { hash }] of images.entries())
  features.set(table.features.subarray(row.get(hash)! * dim, (row.get(hash)! + 1) * dim), i * dim);
const train = Uint32Array.from(images.keys()).filter((i) => !images[i]!.test);
const test = Uint32Array.from(images.keys()).filter((i) => images[i]!.test);
for (let k = 0; k < dim; k++) {
  let [mean, square] = [0, 0];
  for (const i of train) mean += features[i * dim + k]! / train.length;
  for (const i of train) square += (features[i * dim + k]! - mean) ** 2 / train.length;
  for (let i = 0; i < n; i++)
    features[i * dim + k] = (features[i * dim + k]! - mean) / Math.sqrt((square + 1e-6) * dim);
}
const cropAt = (i: number) => Number(images[i]!.name.split("_")[1]);
const kernel = gram(features, n, dim);
const truth = Float64Array.from(test, (i) => images[i]!.mos);
const exactScores = Float64Array.from(exact, expectedScore);

/** Cross-validation over groups of crops, by the exact labels: no draw is favoured. */
function penalty(y: Float64Array): number {
  const candidates = [0.1, 0.3, 1, 3, 10, 30, 100, 300];
  const errors = candidates.map((lambda) => {
    let error = 0;
    for (let group = 0; group < firstTest; group++) {
      const inside = train.filter((i) => cropAt(i) !== group);
      const outside = train.filter((i) => cropAt(i) === group);
      const predicted = ridgePredict(kernel, n, y, { train: inside, test: outside, lambda });
      for (const [j, i] of outside.entries()) error += (predicted[j]! - y[i]!) ** 2;
    }
    return error;
  });
  return candidates[errors.indexOf(Math.min(...errors))]!;
}
const lambda = penalty(exactScores);
const student = (y: Float64Array) => ridgePredict(kernel, n, y, { train, test, lambda });
const best = student(exactScores);
const own = Float64Array.from(test, (i) => exactScores[i]!);
console.log(`penalty ${lambda}`);
console.log(`${train.length} training images, ${test.length} test images, other crops of the same photos`);
console.log(
  `exact       requests ${n}  student SRCC truth ${srcc(best, truth)!.toFixed(3)}  teacher SRCC truth ${srcc(own, truth)!.toFixed(3)}`,
);
for (const samples of [4, 8, 16, 32]) {
  const all = Array.from({ length: draws }, (_, draw) => {
    const random = seededRandom("sampled student", samples, draw);
    const y = Float64Array.from(exact, (p) => {
      const counts = p.map(() => 0);
      for (let i = 0; i < samples; i++) {
        let left = random();
        let at = 0;
        for (; at < 4 && left > p[at]!; at++) left -= p[at]!;
        counts[at]!++;
      }
      return expectedScore(posteriorMean(counts) as unknown as RatingProbabilities);
    });
    const scores = student(y);
    return [
      srcc(scores, truth)!,
      srcc(scores, best)!,
      srcc(
        Float64Array.from(train, (i) => y[i]!),
        Float64Array.from(train, (i) => exactScores[i]!),
      )!,
    ];
  });
  const told = [
    "student SRCC truth",
    "SRCC with the exact one's student",
    "SRCC of the labels with exact ones",
  ].map((name, k) => {
    const values = all.map((one) => one[k]!);
    const mean = values.reduce((sum, one) => sum + one, 0) / draws;
    const sd = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (draws - 1));
    return `${name} ${mean.toFixed(3)} (sd ${sd.toFixed(3)})`;
  });
  console.log(
    `${String(samples).padEnd(3)} answers  requests ${n * Math.ceil(samples / 8)}–${n * samples}  ${told.join("  ")}`,
  );
}
