import path from "node:path";
import { figure } from "../../../words/figure.ts";
import { inEnglish, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
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
  Teacher,
  TeacherImage,
  TeacherOptions,
  Work,
} from "../teacher.ts";
import { normalised } from "./answers.ts";
import { createBudget } from "./budget.ts";
import { type Capabilities, describe } from "./capabilities.ts";
import { createClient } from "./client.ts";
import { RequestFailure, shownUrl } from "./failures.ts";
import { createHttpClient, refuseEndpoint } from "./http.ts";
import { identify } from "./identity.ts";
import { createJudge, type Judged } from "./judge.ts";
import { keyFinder } from "./keys.ts";
import { createPictures } from "./pictures.ts";
import { createPool, type Endpoint } from "./pool.ts";
import { check, probe } from "./probe.ts";
import { usageOf } from "./tokens.ts";

/** Where a short list may hide more than this of one answer, they cannot be told apart. */
const mostUnseen = 0.25;

export async function openaiTeacherFingerprint(config: OpenaiTeacherConfig): Promise<string> {
  return identify(config).fingerprint;
}

/**
 * A multimodal LLM behind one or several OpenAI-compatible endpoints. Throws LeafError `environment` where no endpoint answers for as
 * long as `patience`, or one cannot be a teacher.
 */
export async function createOpenaiTeacher(
  config: OpenaiTeacherConfig,
  options: TeacherOptions,
): Promise<Teacher> {
  const { model, prompts, fingerprint, description } = identify(config);
  const { serve } = config;
  for (const url of [config.endpoint ?? []].flat()) refuseEndpoint(url);
  const named = [...(serve ? [serverItem(serve, options.root)] : []), ...endpointItems(config, process.env)];
  requireApproved(named.map((item) => ({ ...item, file: "", line: null })));
  const keyFor = keyFinder(config, process.env);
  const server =
    serve &&
    (await acquireServer(serve, { ...options, servers: path.join(options.root, ".leaf", "servers") }));
  const urls = server ? [server.endpoint] : [config.endpoint ?? []].flat();
  const http = createHttpClient();
  const budget = createBudget(config);
  const client = createClient({ http, budget, model, keyFor, timeoutMs: config.timeout * 1000 });
  const { judge, explain, trial } = createJudge(
    client,
    prompts,
    createPictures(config.maxSide, options.maxPixels),
  );
  const told = new Set<string>();

  async function probed(url: string, known: Capabilities | undefined, signal: AbortSignal) {
    await server?.ready(signal);
    if (known) {
      await check(client, url, prompts, known, signal);
      return known;
    }
    const found = await probe(client, url, prompts, signal);
    const where = shownUrl(url);
    if (!found.usage && (config.limit?.tokens ?? config.limit?.cost) !== undefined)
      throw new LeafError("environment", say`${where} does not say how many tokens a request took.`, {
        remedy: say`Set \`teacher.limit.requests\` instead of \`tokens\` or \`cost\`.`,
      });
    const line = describe(found, where);
    if (!told.has(inEnglish(line))) {
      told.add(inEnglish(line));
      options.onNote?.(say`${line}.`);
      if (prompts.prefill !== null && !found.prefill)
        options.onNote?.(
          say`${where} cannot go on with a begun answer: \`prompts.prefill\` is left out there.`,
        );
    }
    return found;
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

  /** All at once; the pool decides how many really are. Ends together, so that no request is left behind. */
  async function each<I, T>(items: readonly I[], work: (item: I) => Promise<T>) {
    const done = await Promise.allSettled(items.map((item) => settled(() => work(item))));
    return done.map((one) => {
      if (one.status === "rejected") throw one.reason;
      return one.value;
    });
  }

  const ask = (images: readonly TeacherImage[], signal?: AbortSignal) =>
    pool.use((endpoint) => judge(endpoint, images, signal), signal);

  async function pointOf(image: TeacherImage, signal?: AbortSignal): Promise<PointJudgement> {
    const judged = await ask([image], signal);
    const reason = unusable(judged, "the rating words");
    if (reason) return { ok: false, reason };
    const probabilities = normalised(judged.reading) as unknown as RatingProbabilities;
    return { ok: true, probabilities, mass: judged.reading.mass };
  }

  /** P(the first image is better); half of a tie's probability is its. */
  async function preference(first: TeacherImage, second: TeacherImage, signal?: AbortSignal) {
    const judged = await ask([first, second], signal);
    const reason = unusable(judged, "the letters");
    if (reason) return { ok: false as const, reason };
    const [better, , tie = 0] = normalised(judged.reading);
    return { ok: true as const, p: better! + tie / 2 };
  }

  async function pairOf(
    [a, b]: [TeacherImage, TeacherImage],
    orders: Orders,
    signal?: AbortSignal,
  ): Promise<PairPreference> {
    const [ab, ba] = await each(
      orders === "both" ? [[a, b] as const, [b, a] as const] : [[a, b] as const],
      (pair) => preference(...pair, signal),
    );
    if (!ab!.ok) return ab as { ok: false; reason: string };
    if (ba === undefined) return { ok: true, pAB: ab!.p, pBA: null };
    if (!ba.ok) return ba;
    return { ok: true, pAB: ab!.p, pBA: 1 - ba.p };
  }

  async function inspect(images: [TeacherImage] | [TeacherImage, TeacherImage], signal?: AbortSignal) {
    const isPoint = images.length === 1;
    const { tokens, prefilled, reading } = await pool.use(async (endpoint) => {
      const judged = await judge(endpoint, images, signal);
      return { ...judged, prefilled: endpoint.capabilities.prefill !== null };
    }, signal);
    const likeliest = [...tokens].sort((a, b) => b.logprob - a.logprob).slice(0, 20);
    const inspection: Inspection = {
      parts: isPoint ? prompts.point : prompts.pair,
      rendered: null,
      prefill: isPoint && prefilled ? prompts.prefill : null,
      top: likeliest.map(({ token, logprob }) => ({ token, probability: Math.exp(logprob) })),
      answers: reading.answers.map(({ answer, tokens, probability }) => ({ answer, tokens, probability })),
      mass: reading.mass,
    };
    return inspection;
  }

  async function estimate(work: Work, sample: TeacherImage, signal?: AbortSignal): Promise<Estimate> {
    const requests = {
      point: work.points,
      pair: work.pairs * (work.orders === "both" ? 2 : 1),
      reason: work.reasons,
    };
    const total = { requests: 0, input: 0, output: 0 };
    for (const kind of ["point", "pair", "reason"] as const) {
      if (requests[kind] === 0) continue;
      const used = usageOf(await pool.use((endpoint) => trial(endpoint, kind, sample, signal), signal));
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
    fingerprint,
    description,
    // An answer that was paid for is stored at once, and what ends the run takes none with it.
    batchSize: 1,
    // A few more than fit, so that a free place never waits.
    concurrency: Math.ceil(1.25 * config.concurrency * urls.length) + 2,
    about: describe(first.capabilities, shownUrl(first.url)),
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
    close,
  };
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
