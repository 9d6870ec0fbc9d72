// Which pairs to ask: the strategies of `label.pairs` at equal cost, by simulated teachers whose truth is known.
// usage: node bench/adaptive-pairs.ts [images=300] [seeds=10] [partners=8]
import { seededRandom } from "../src/engine/base/random.ts";
import { adaptiveRounds } from "../src/engine/labelling/adaptivePairs.ts";
import { type PairStrategy, samplePairs } from "../src/engine/labelling/pairs.ts";
import { srcc } from "../src/engine/metrics/agreement.ts";
import { fitBradleyTerry } from "../src/engine/metrics/bradleyTerry.ts";
import { combineOrders, pairConfidence, sigmoid } from "../src/engine/teachers/judgement.ts";

const [n = 300, seeds = 10, perImage = 8] = process.argv.slice(2).map(Number);

/** A simulated judge: qualities are normal with deviation 1. */
interface Judge {
  name: string;
  /** Log-odds of one answer for a difference of 1. */
  slope: number;
  /** Deviation of the log-odds from pair to pair. */
  noise: number;
  /** Log-odds that the first place gains. */
  bias: number;
  /** Answers that are counted where no probability is read; 0: it is read. */
  samples: number;
}
const judges: Judge[] = [
  { name: "log-probabilities", slope: 2, noise: 1, bias: 1, samples: 0 },
  { name: "log-probabilities, sharp", slope: 8, noise: 3, bias: 2, samples: 0 },
  { name: "one answer an order", slope: 2, noise: 0, bias: 1, samples: 1 },
  { name: "one answer an order, sharp", slope: 6, noise: 1, bias: 1, samples: 1 },
];
const strategies: PairStrategy[] = ["random", "near", "mixed", "adaptive"];

for (const judge of judges)
  for (const strategy of strategies) {
    const runs = Array.from({ length: seeds }, (_, seed) => run(judge, strategy, seed));
    const line = (["srcc", "off", "covered", "kept"] as const).map((key) => {
      const values = runs.map((one) => one[key]);
      const mean = values.reduce((sum, one) => sum + one, 0) / seeds;
      const sd = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (seeds - 1));
      return `${key} ${mean.toFixed(3)} ± ${(sd / Math.sqrt(seeds)).toFixed(3)}`;
    });
    console.log(
      `${judge.name.padEnd(28)} ${strategy.padEnd(9)} ${2 * runs[0]!.pairs} requests  ${line.join("  ")}`,
    );
  }

function run(judge: Judge, strategy: PairStrategy, seed: number) {
  const random = seededRandom("adaptive bench", seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const images = Array.from(
    { length: n },
    (_, i) => `${String(i).padStart(4, "0")}${Math.floor(random() * 1e9)}`,
  );
  const truth = new Map(images.map((image) => [image, normal()]));
  // As good as the teacher's points usually are: they order near pairs.
  const point = new Map(images.map((image) => [image, truth.get(image)! + 0.8 * normal()]));
  const said = new Map<string, number>();
  const answer = ([a, b]: readonly [string, string]) => {
    const key = `${a} ${b}`;
    if (!said.has(key)) {
      // The same pair is answered alike whoever asks.
      const own = seededRandom("answer", seed, a, b);
      const gauss = Math.sqrt(-2 * Math.log(1 - own())) * Math.cos(2 * Math.PI * own());
      const z = judge.slope * (truth.get(a)! - truth.get(b)!) + judge.noise * gauss;
      const p = [sigmoid(z + judge.bias), sigmoid(z - judge.bias)].map((one) =>
        judge.samples === 0
          ? one
          : Array.from({ length: judge.samples }, () => Number(own() < one)).reduce((x, y) => x + y, 0.5) /
            (judge.samples + 1),
      );
      said.set(key, combineOrders(p[0]!, p[1]!).p);
    }
    return said.get(key)!;
  };
  const plan = { perImage, strategy, seed };
  const pairs: [string, string][] = [];
  if (strategy === "adaptive") {
    const rounds = adaptiveRounds(images, plan, (some) => some.map(answer));
    for (let some = rounds.next(); some; some = rounds.next()) pairs.push(...some);
  } else pairs.push(...samplePairs(images, plan, (image) => point.get(image)));
  const place = new Map(images.map((image, i) => [image, i]));
  const fit = fitBradleyTerry({
    n,
    a: pairs.map(([a]) => place.get(a)!),
    b: pairs.map(([, b]) => place.get(b)!),
    p: pairs.map(answer),
  });
  const t = Float64Array.from(images, (image) => truth.get(image)!);
  // The line of least squares through the truth: what is left is error.
  const mean = (values: Float64Array) => values.reduce((sum, one) => sum + one, 0) / n;
  const [ms, mt] = [mean(fit.score), mean(t)];
  let [xy, xx] = [0, 0];
  for (let i = 0; i < n; i++) {
    xy += (t[i]! - mt) * (fit.score[i]! - ms);
    xx += (t[i]! - mt) ** 2;
  }
  const slope = xy / xx;
  const off = Float64Array.from(t, (one, i) => fit.score[i]! - ms - slope * (one - mt));
  return {
    pairs: pairs.length,
    srcc: srcc(fit.score, t)!,
    off: Math.sqrt(mean(off.map((one) => one * one))) / slope,
    covered: mean(off.map((one, i) => Number(Math.abs(one) < 1.96 * fit.error[i]!))),
    kept: pairs.filter((pair) => pairConfidence(answer(pair)) >= 0.1).length / pairs.length,
  };
}
