// Teachers whose answers are real, on photos that none of them was fitted on: each alone against together, points against the ranking of
// all pairs, random against adaptive pairs. The tiny multimodal teacher is served by llama.cpp (LEAF_PYTHON with xllamacpp).
// usage: nice node bench/teachers.ts [crops of each photo and distortion=2] [partners=6]
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { hashBytes } from "../src/engine/base/files.ts";
import { seededRandom } from "../src/engine/base/random.ts";
import { teacherSchema } from "../src/engine/config/teacher.ts";
import { storedEnsemble } from "../src/engine/labelling/ensemble.ts";
import { labelDataset, pairsToLabel } from "../src/engine/labelling/labelling.ts";
import type { PairStrategy } from "../src/engine/labelling/pairs.ts";
import { openLabels } from "../src/engine/labels/labels.ts";
import { srcc } from "../src/engine/metrics/agreement.ts";
import { rankedTargets, rankPreferences } from "../src/engine/reliability/ranking.ts";
import { createTeacher } from "../src/engine/teachers/createTeacher.ts";
import { identify } from "../src/engine/teachers/ensemble/identity.ts";
import { type EnsembleWeights, fitWeights, fixedWeights } from "../src/engine/teachers/ensemble/weights.ts";
import type { TeacherImage } from "../src/engine/teachers/teacher.ts";
import { serveTinyTeacher } from "../tools/tiny-teacher/server.ts";
import { accuracy, makeUnseen, unseenPhotos } from "../tools/tiny-teacher/unseen.ts";

const [crops = 2, perImage = 6] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(path.join(tmpdir(), "leaf-teachers-"));
const images: TeacherImage[] = [];
const truth = new Map<string, number>();
const photoOf = new Map<string, string>();
for (const photo of unseenPhotos)
  for (const { image, mos } of await makeUnseen(folder, photo, crops)) {
    const bytes = await readFile(path.join(folder, image));
    const hash = hashBytes(bytes);
    // The same crop without any distortion may come twice.
    if (truth.has(hash)) continue;
    images.push({ hash, name: image, read: async () => bytes });
    truth.set(hash, mos);
    photoOf.set(hash, photo);
  }
images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
const hashes = images.map(({ hash }) => hash);
const store = openLabels(path.join(folder, "labels.sqlite"));
const plan = (strategy: PairStrategy) => ({ perImage, strategy, seed: 0 });
const server = await serveTinyTeacher();

try {
  const tiny = { kind: "openai", endpoint: server.endpoint, model: "tiny-teacher", concurrency: 2 };
  const members = [
    await label(tiny, ["random", "adaptive"]),
    await label({ kind: "embedded" }, ["random", "adaptive"]),
  ];
  const names = ["tiny multimodal teacher", "embedded teacher"];
  console.log(`${images.length} images of ${unseenPhotos.length} photos, ${perImage} partners`);
  console.log("each alone against together, random pairs");
  for (const [i, member] of members.entries()) tell(names[i]!, member);
  tell("together, equal weights", await together(members, fixedWeights([1, 1])));
  for (const ratings of [20, 50]) {
    const draws = [0, 1, 2, 3, 4];
    const each = [];
    for (const seed of draws) each.push(await together(members, weightsBy(members, ratings, seed)));
    const all = each.map((one) => figures(one));
    const mean = Object.fromEntries(
      Object.keys(all[0]!).map((key) => [key, all.reduce((sum, one) => sum + one[key]!, 0) / all.length]),
    );
    line(`together, weights by ${ratings} ratings (mean of ${draws.length} draws)`, mean);
  }
  console.log("score of an image: points, or all pairs as a ranking");
  for (const [i, member] of members.entries())
    for (const strategy of ["random", "adaptive"] as const) {
      const scores = targets(member, strategy);
      line(`${names[i]}, ${strategy} pairs`, {
        requests: i === 0 ? hashes.length + 2 * count(member, strategy) : 0,
        points: agreement(scores.points),
        ranking: agreement(scores.ranking),
        both: agreement(scores.both),
        "pairs kept": kept(member, strategy),
      });
    }
} finally {
  store.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Labels by a teacher, with the pairs of each strategy; its fingerprint. */
async function label(config: object, strategies: PairStrategy[]): Promise<string> {
  const teacher = await createTeacher(teacherSchema.parse(config), { root: folder });
  for (const strategy of strategies)
    await labelDataset({ store, teacher, images: () => images, pairs: plan(strategy), minConfidence: 0.1 });
  await teacher.close();
  return teacher.fingerprint;
}

async function together(members: string[], weights: EnsembleWeights): Promise<string> {
  const named = members.map((fingerprint) => ({ fingerprint, name: fingerprint, kind: "x" }));
  const teacher = storedEnsemble(store, named, identify(named, weights), weights);
  await labelDataset({
    store,
    teacher,
    images: () => images,
    pairs: plan("random"),
    leader: members[0],
    minConfidence: 0.1,
  });
  return teacher.fingerprint;
}

/** As `weights: auto`, by the ratings of some images. */
function weightsBy(members: string[], ratings: number, seed: number): EnsembleWeights {
  const random = seededRandom("ratings", seed);
  const some = hashes
    .map((hash) => ({ hash, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .slice(0, ratings);
  const said = members.map((member) => store.ownScores(member));
  return fitWeights(
    some.map(({ hash }) => ({ hash, truth: truth.get(hash)!, scores: said.map((one) => one.get(hash)!) })),
    members.length,
  );
}

function pairsOf(member: string, strategy: PairStrategy) {
  const drawn = new Set(Array.from(pairsToLabel(store, member, hashes, plan(strategy)), String));
  return [...store.pairs(member)].filter(({ a, b }) => drawn.has(`${a},${b}`));
}

function count(member: string, strategy: PairStrategy): number {
  return pairsOf(member, strategy).length;
}

function kept(member: string, strategy: PairStrategy): number {
  const pairs = pairsOf(member, strategy);
  return pairs.filter(({ confidence }) => confidence >= 0.1).length / pairs.length;
}

function targets(member: string, strategy: PairStrategy) {
  const points = store.ownScores(member);
  const ranked = rankPreferences(pairsOf(member, strategy), points);
  return { points, ranking: rankedTargets(ranked, "ranking"), both: rankedTargets(ranked, "both") };
}

function agreement(scores: ReadonlyMap<string, number>): number {
  return srcc(
    Float64Array.from(hashes, (hash) => scores.get(hash)!),
    Float64Array.from(hashes, (hash) => truth.get(hash)!),
  )!;
}

/** Mean over photos: within one nothing but the distortion differs. */
function within(scores: ReadonlyMap<string, number>): number {
  const each = unseenPhotos.map((photo) => {
    const some = hashes.filter((hash) => photoOf.get(hash) === photo);
    return srcc(
      Float64Array.from(some, (hash) => scores.get(hash)!),
      Float64Array.from(some, (hash) => truth.get(hash)!),
    )!;
  });
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}

function figures(member: string): Record<string, number> {
  const pairs = pairsOf(member, "random").map(({ a, b, p, confidence }) => ({
    a: truth.get(a)!,
    b: truth.get(b)!,
    p,
    confidence,
  }));
  const sure = pairs.filter(({ confidence }) => confidence >= 0.1);
  return {
    srcc: agreement(store.ownScores(member)),
    "within photos": within(store.ownScores(member)),
    "pairs right": accuracy(pairs).right,
    kept: sure.length / pairs.length,
    "kept right": accuracy(sure).right,
  };
}

function tell(name: string, member: string): void {
  line(name, figures(member));
}

function line(name: string, values: Record<string, number>): void {
  const told = Object.entries(values).map(([key, value]) => `${key} ${value > 5 ? value : value.toFixed(3)}`);
  console.log(`  ${name.padEnd(52)} ${told.join("  ")}`);
}
