import path from "node:path";
import { figure } from "../../../words/figure.ts";
import { inEnglish, say } from "../../../words/text.ts";
import { shownUrl } from "../../base/endpoint.ts";
import { refuseEndpoint } from "../../base/endpointGuard.ts";
import { LeafError } from "../../base/errors.ts";
import { knowSecrets, redact, secretsIn } from "../../base/redact.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { requestedTiles, servedBy } from "../../config/tiles.ts";
import { endpointItems, serverItem } from "../../consent/items.ts";
import { requireApproved } from "../../consent/store.ts";
import { minRatingMass, type RatingProbabilities } from "../judgement.ts";
import { acquireServer } from "../serve/acquire.ts";
import type {
  Estimate,
  Inspection,
  Orders,
  PairPreference,
  PointJudgement,
  Reason,
  Samples,
  Teacher,
  TeacherImage,
  TeacherOptions,
  Work,
} from "../teacher.ts";
import { normalised } from "./answers.ts";
import { createBudget } from "./budget.ts";
import { type Capabilities, describe, type Manner, mannerOf } from "./capabilities.ts";
import { createClient } from "./client.ts";
import { RequestFailure } from "./failures.ts";
import { sameManner } from "./found.ts";
import { createHttpClient } from "./http.ts";
import { identify } from "./identity.ts";
import { createJudge, type Judged } from "./judge.ts";
import { keyFinder } from "./keys.ts";
import { createPictures } from "./pictures.ts";
import { createPool, type Endpoint } from "./pool.ts";
import { metricsUrl, prefixBetween, prefixCounters } from "./prefixCounters.ts";
import { check, probe } from "./probe.ts";
import { addCounts, type Counts, mostChoices, posteriorMean } from "./sampling.ts";
import { usageOf } from "./tokens.ts";

/** Where a short list may hide more than this of one answer, they cannot be told apart. */
const mostUnseen = 0.25;

/** By what is known of its servers; before anything is, as if they gave probabilities of two images at once. */
export async function openaiTeacherFingerprint(config: OpenaiTeacherConfig, root: string): Promise<string> {
  const { as, found } = identify(config, root);
  return as(found.manner() ?? assumed(config)).fingerprint;
}

function assumed({ probabilities }: OpenaiTeacherConfig): Manner {
  return probabilities === "sampling" ? { probabilities } : {};
}

/**
 * A multimodal LLM behind one or several OpenAI-compatible endpoints. Throws LeafError `environment` where no endpoint answers for as
 * long as `patience`, or one cannot be a teacher.
 */
export async function createOpenaiTeacher(
  config: OpenaiTeacherConfig,
  options: TeacherOptions,
): Promise<Teacher> {
  const { model, prompts, as, found } = identify(config, options.root);
  const { samples } = config;
  const serve = servedBy(config);
  const request = { ...requestedTiles(config), ...config.request };
  knowSecrets(secretsIn(request));
  for (const url of [config.endpoint ?? []].flat()) refuseEndpoint(url);
  const named = [...(serve ? [serverItem(serve, options.root)] : []), ...endpointItems(config, process.env)];
  requireApproved(named.map((item) => ({ ...item, file: "", line: null })));
  const keyFor = keyFinder(config, process.env);
  const server =
    serve &&
    (await acquireServer(serve, { ...options, servers: path.join(options.root, ".leaf", "servers") }));
  const urls = server ? [server.endpoint] : [config.endpoint ?? []].flat();
  const http = createHttpClient();
  const budget = createBudget(config, options.spent);
  const client = createClient({ http, budget, model, request, keyFor, timeoutMs: config.timeout * 1000 });
  const { judge, sample, explain, trial } = createJudge(
    client,
    prompts,
    createPictures(config.maxSide, options.maxPixels),
  );
  const told = new Set<string>();

  const asking = { prompts, probabilities: config.probabilities };
  /** How the first endpoint's labels come about: one teacher has one manner. */
  let manner: Manner | undefined;

  async function probed(url: string, known: Capabilities | undefined, signal: AbortSignal) {
    await server?.ready(signal);
    const before = known ?? (await found.read(url));
    const isAsKnown =
      before !== undefined &&
      (await check(client, url, { ...asking, signal }, before).catch((error: unknown) => {
        if (error instanceof RequestFailure && error.kind === "image" && !known) return false;
        throw error;
      }));
    const capabilities = isAsKnown ? before : await probe(client, url, { ...asking, signal });
    // Without it, another run finds out again.
    if (!isAsKnown) await found.write(url, capabilities).catch(() => {});
    if (!known) tell(capabilities, url);
    manner ??= mannerOf(capabilities);
    if (!sameManner(manner, mannerOf(capabilities)))
      throw new LeafError(
        "environment",
        say`The endpoints answer in different ways, so they cannot be one teacher: ${describe(capabilities, shownUrl(url), samples)}.`,
        { remedy: say`Name only endpoints that serve the model in the same way.` },
      );
    return capabilities;
  }

  function tell(capabilities: Capabilities, url: string): void {
    const where = shownUrl(url);
    if (!capabilities.usage && (config.limit?.tokens ?? config.limit?.cost) !== undefined)
      throw new LeafError("environment", say`${where} does not say how many tokens a request took.`, {
        remedy: say`Set \`teacher.limit.requests\` instead of \`tokens\` or \`cost\`.`,
      });
    const line = describe(capabilities, where, samples);
    if (told.has(inEnglish(line))) return;
    told.add(inEnglish(line));
    options.onNote?.(say`${line}.`);
    if (prompts.prefill !== null && !capabilities.prefill)
      options.onNote?.(
        say`${where} cannot go on with a begun answer: \`prompts.prefill\` is left out there.`,
      );
  }

  const pool = createPool({
    urls,
    concurrency: config.concurrency,
    // A server of ours tells by itself when it cannot start again.
    patienceMs: Math.max(config.patience, 60 * (serve?.startMinutes ?? 0)) * 1000,
    probe: probed,
    onNote: options.onNote,
  });

  async function close(): Promise<void> {
    pool.close();
    http.close();
    await server?.release();
  }

  let first: Endpoint<Capabilities>;
  try {
    first = await pool.ready(options.signal);
  } catch (error) {
    await close();
    throw error;
  }

  /** Answers of vLLM do not tell what they took from its prefix cache, unless it was started so. */
  const counted = async () => {
    if (first.capabilities.server !== "vLLM" || budget.spent().prefix) return undefined;
    const texts = await Promise.allSettled(
      urls.map((url) => client.fetchText(metricsUrl(url), options.signal)),
    );
    return texts.map((one) => (one.status === "fulfilled" ? prefixCounters(one.value) : undefined));
  };
  const before = await counted();

  async function prefixCache(): Promise<Estimate["prefix"]> {
    const after = (before && (await counted())) ?? [];
    const told = after.flatMap((now, i) => {
      const then = before?.[i];
      return (now && then && prefixBetween(then, now)) ?? [];
    });
    if (told.length === 0) return undefined;
    return told.reduce((all, one) => ({ cached: all.cached + one.cached, of: all.of + one.of }));
  }

  /** The work's result, or why this image has none; what ends the run is thrown. */
  async function settled<T>(work: () => Promise<T>): Promise<T | { ok: false; reason: string }> {
    try {
      return await work();
    } catch (error) {
      const isAboutImage =
        error instanceof RequestFailure || (error instanceof LeafError && error.code === "input");
      if (isAboutImage) return { ok: false, reason: error.message };
      throw error;
    }
  }

  /** All at once; the pool decides how many really are. */
  const each = <I, T>(items: readonly I[], work: (item: I) => Promise<T>) =>
    together(items, (item) => settled(() => work(item)));

  type Images = [TeacherImage] | [TeacherImage, TeacherImage];
  const ask = (images: Images, signal?: AbortSignal) =>
    pool.use((endpoint) => judge(endpoint, images, signal), signal);

  /** `samples` answers, by as few requests as the servers need. */
  async function drawn(images: Images, signal?: AbortSignal): Promise<Counts> {
    const some = (texts: number, seed: number) =>
      pool.use((endpoint) => sample(endpoint, images, { texts, seed }, signal), signal);
    const begun = await some(samples, 0);
    const starts: number[] = [];
    for (let at = begun.n; at < samples; at += begun.n) starts.push(at);
    const rest = await together(starts, (at) => some(Math.min(begun.n, samples - at), at));
    return addCounts([begun, ...rest]);
  }

  type Answered =
    | { ok: true; shares: number[]; mass: number; counts?: Counts }
    | { ok: false; reason: string };

  /** The probability of each answer, and how they were found. */
  async function answered(images: Images, answers: string, signal?: AbortSignal): Promise<Answered> {
    if (first.capabilities.probabilities === "logprobs") {
      const judged = await ask(images, signal);
      const reason = unusable(judged, answers);
      if (reason) return { ok: false, reason };
      return { ok: true, shares: normalised(judged.reading), mass: judged.reading.mass };
    }
    const counts = await drawn(images, signal);
    const mass = counts.counts.reduce((sum, count) => sum + count, 0) / counts.n;
    if (mass < minRatingMass) {
      const reason = `only ${figure(mass, 2)} of ${counts.n} answers are among ${answers}; one is ${JSON.stringify(counts.other)}`;
      return { ok: false, reason };
    }
    return { ok: true, shares: posteriorMean(counts.counts), mass, counts };
  }

  async function pointOf(image: TeacherImage, signal?: AbortSignal): Promise<PointJudgement> {
    const judged = await answered([image], "the rating words", signal);
    if (!judged.ok) return judged;
    const { mass, counts } = judged;
    const probabilities = judged.shares as unknown as RatingProbabilities;
    return { ok: true, probabilities, mass, ...(counts && { samples: samplesOf(counts) }) };
  }

  /** P(the first image is better); half of a tie's probability is its. */
  async function preference(pair: [TeacherImage, TeacherImage], signal?: AbortSignal) {
    const judged = await answered(pair, "the letters", signal);
    if (!judged.ok) return judged;
    const [better, , tie = 0] = judged.shares;
    return { ok: true as const, p: better! + tie / 2, counts: judged.counts };
  }

  async function pairOf(
    [a, b]: [TeacherImage, TeacherImage],
    orders: Orders,
    signal?: AbortSignal,
  ): Promise<PairPreference> {
    const [ab, ba] = await each(
      (orders === "both"
        ? [
            [a, b],
            [b, a],
          ]
        : [[a, b]]) as [TeacherImage, TeacherImage][],
      (pair) => preference(pair, signal),
    );
    if (!ab!.ok) return ab as { ok: false; reason: string };
    if (ba !== undefined && !ba.ok) return ba;
    const counts = ab!.counts && {
      samples: { ab: samplesOf(ab!.counts), ba: ba?.counts ? samplesOf(ba.counts) : null },
    };
    return { ok: true, pAB: ab!.p, pBA: ba === undefined ? null : 1 - ba.p, ...counts };
  }

  async function inspect(images: Images, signal?: AbortSignal): Promise<Inspection> {
    const isPoint = images.length === 1;
    const parts = isPoint
      ? prompts.point
      : first.capabilities.pairs === "canvas"
        ? prompts.canvas
        : prompts.pair;
    if (first.capabilities.probabilities === "sampling") {
      const { n, counts } = await drawn(images, signal);
      const names = isPoint
        ? prompts.words
        : [...prompts.letters, ...(prompts.tie === null ? [] : [prompts.tie])];
      const shares = posteriorMean(counts);
      const mass = counts.reduce((sum, count) => sum + count, 0) / n;
      const answers = names.map((answer, i) => ({
        answer,
        tokens: [`${counts[i]} of ${n}`],
        probability: shares[i]! * mass,
      }));
      return { parts, rendered: null, prefill: isPoint ? prompts.prefill : null, top: [], answers, mass };
    }
    const { tokens, prefilled, reading } = await pool.use(async (endpoint) => {
      const judged = await judge(endpoint, images, signal);
      return { ...judged, prefilled: endpoint.capabilities.prefill !== null };
    }, signal);
    const likeliest = [...tokens].sort((a, b) => b.logprob - a.logprob).slice(0, 20);
    return {
      parts,
      rendered: null,
      prefill: isPoint && prefilled ? prompts.prefill : null,
      top: likeliest.map(({ token, logprob }) => ({ token, probability: Math.exp(logprob) })),
      answers: reading.answers.map(({ answer, tokens, probability }) => ({ answer, tokens, probability })),
      mass: reading.mass,
    };
  }

  async function estimate(work: Work, image: TeacherImage, signal?: AbortSignal): Promise<Estimate> {
    const requests = {
      point: work.points,
      pair: work.pairs * (work.orders === "both" ? 2 : 1),
      reason: work.reasons,
    };
    const total = { requests: 0, input: 0, output: 0 };
    const { probabilities, choices } = first.capabilities;
    const isSampled = probabilities === "sampling";
    for (const kind of ["point", "pair", "reason"] as const) {
      if (requests[kind] === 0) continue;
      const texts = !isSampled || kind === "reason" ? 0 : choices ? Math.min(samples, mostChoices) : 1;
      const used = usageOf(await pool.use((endpoint) => trial(endpoint, kind, image, texts, signal), signal));
      if (texts > 0) requests[kind] *= Math.ceil(samples / texts);
      if (!used)
        options.onNote?.(say`The server does not say how many tokens a request takes; they are given as 0.`);
      total.requests += requests[kind];
      total.input += requests[kind] * (used?.input ?? 0);
      total.output += requests[kind] * (used?.output ?? 0);
    }
    const { requests: count, input, output } = total;
    return {
      requests: count,
      inputTokens: input,
      outputTokens: output,
      cost: budget.costOf({ input, output }),
    };
  }

  return {
    kind: "openai",
    ...as(manner),
    // An answer that was paid for is stored at once, and what ends the run takes none with it.
    batchSize: 1,
    // A few more than fit, so that a free place never waits.
    concurrency: Math.ceil(1.25 * config.concurrency * urls.length) + 2,
    about: describe(first.capabilities, shownUrl(first.url), samples),
    dear: first.capabilities.probabilities === "sampling",
    judgePoints: (images, signal) => each(images, (image) => pointOf(image, signal)),
    judgePairs: (pairs, signal, orders = "both") => each(pairs, (pair) => pairOf(pair, orders, signal)),
    explain: (images, signal) =>
      each(images, async (image): Promise<Reason> => {
        const text = await pool.use((endpoint) => explain(endpoint, image, signal), signal);
        // Words of a server, which has seen the key.
        return { ok: true, text: redact(text) };
      }),
    inspect,
    estimate,
    spent: () => budget.spent(),
    prefixCache,
    close,
  };
}

/** Ends together, so that no request is left behind. */
async function together<I, T>(items: readonly I[], work: (item: I) => Promise<T>): Promise<T[]> {
  const done = await Promise.allSettled(items.map(work));
  return done.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

function samplesOf({ n, counts }: Counts): Samples {
  return { n, counts };
}

/** Why a reading is no judgement; undefined for one that is. */
function unusable({ reading, tokens }: Judged, answers: string): string | undefined {
  const { mass } = reading;
  if (mass < minRatingMass) {
    const best = tokens.reduce((most, one) => (one.logprob > most.logprob ? one : most));
    return `only ${figure(mass, 2)} of the answer is on ${answers}; it begins with ${JSON.stringify(best.token)}`;
  }
  if (reading.unseen > mostUnseen) return `the server lists too few tokens to tell ${answers} apart`;
  return undefined;
}
