import { quoted, say } from "../../../words/text.ts";
import type { Prompts } from "../prompts.ts";
import type { TeacherImage } from "../teacher.ts";
import { type Reading, readAnswers } from "./answers.ts";
import type { QuestionKind } from "./budget.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Client } from "./client.ts";
import { RequestFailure } from "./failures.ts";
import type { Pictures } from "./pictures.ts";
import type { Endpoint } from "./pool.ts";
import { chatBody, type Question } from "./question.ts";
import { answerTokens, type Counts, countAnswers, mostChoices } from "./sampling.ts";
import { tokensIn, withoutThought } from "./thinking.ts";
import { type ListedToken, textOf, textsOf } from "./tokens.ts";

/** A prefix token of at least this probability is looked behind; so many of them, and so many tokens deep. */
const worthALook = 0.01;
const mostLooks = 3;
const deepestLook = 3;
const reasonTokens = 48;
/** What is asked for where a server breaks over the list of one image: most take it. */
const shortList = 20;

export interface Judged {
  tokens: ListedToken[];
  reading: Reading;
}

type Images = readonly [TeacherImage] | readonly [TeacherImage, TeacherImage];

/** Asks one endpoint one thing. All throw RequestFailure and LeafError as the client does, LeafError `input` for an unreadable image. */
export interface Judge {
  /** Answers: the five words for one image; the letters and the tie, if offered, for two. */
  judge(endpoint: Endpoint<Capabilities>, images: Images, signal?: AbortSignal): Promise<Judged>;
  /** The same answers as they come: up to `texts` of them, as many as the endpoint gives by one request. */
  sample(
    endpoint: Endpoint<Capabilities>,
    images: Images,
    draw: { texts: number; seed: number },
    signal?: AbortSignal,
  ): Promise<Counts>;
  explain(endpoint: Endpoint<Capabilities>, image: TeacherImage, signal?: AbortSignal): Promise<string>;
  /** The completion itself, to see what it took; of `texts` answers where they are sampled. */
  trial(
    endpoint: Endpoint<Capabilities>,
    kind: "point" | "pair" | "reason",
    image: TeacherImage,
    texts: number,
    signal?: AbortSignal,
  ): Promise<unknown>;
}

export function createJudge(client: Client, prompts: Prompts, pictures: Pictures): Judge {
  const tie = prompts.tie === null ? [] : [prompts.tie];
  const kinds = {
    point: { answers: prompts.words as readonly string[], prefill: prompts.prefill },
    pair: { answers: [...prompts.letters, ...tie], prefill: null },
  };

  function send(
    endpoint: Endpoint<Capabilities>,
    question: Question,
    kind: QuestionKind,
    signal?: AbortSignal,
    capabilities = endpoint.capabilities,
  ) {
    return client.complete(endpoint.url, chatBody(client, question, capabilities), kind, signal);
  }

  /** A question without what is wanted of it: two images as the endpoint takes them. */
  async function asked({ capabilities }: Endpoint<Capabilities>, images: Images) {
    const [first, second] = images;
    if (second === undefined) return { parts: prompts.point, images: [await pictures.urlOf(first)] };
    if (capabilities.pairs === "canvas")
      return { parts: prompts.canvas, images: [await pictures.urlOfBoth([first, second], prompts.letters)] };
    return {
      parts: prompts.pair,
      images: await Promise.all([pictures.urlOf(first), pictures.urlOf(second)]),
    };
  }

  async function list(
    endpoint: Endpoint<Capabilities>,
    question: Question,
    kind: QuestionKind,
    signal?: AbortSignal,
  ): Promise<ListedToken[]> {
    const { capabilities } = endpoint;
    const completion = await send(endpoint, question, kind, signal).catch((error: unknown) => {
      // A token of probability 0 far down in the list of just this image.
      const breaks = error instanceof RequestFailure && error.status === 500;
      if (!breaks || question.want !== "list" || capabilities.listed <= shortList) throw error;
      return send(endpoint, question, kind, signal, { ...capabilities, listed: shortList });
    });
    const tokens = tokensIn(completion, capabilities.thinking);
    if (typeof tokens === "string") throw new RequestFailure("again", quoted(tokens));
    return tokens;
  }

  async function judge(endpoint: Endpoint<Capabilities>, images: Images, signal?: AbortSignal) {
    const kind = images.length === 1 ? "point" : "pair";
    const { tokenIds, prefill } = endpoint.capabilities;
    const { answers, prefill: begun } = kinds[kind];
    const question: Question = {
      ...(await asked(endpoint, images)),
      prefill: begun,
      maxTokens: 1,
      want: tokenIds ? { ids: tokenIds[kind] } : "list",
    };
    const tokens = await list(endpoint, question, kind, signal);

    /** For each of the answers' rests, the probability that it follows on what is begun. */
    async function lookBehind(
      start: string,
      rests: readonly (string | null)[],
      depth: number,
    ): Promise<number[]> {
      const next = await list(endpoint, { ...question, prefill: start, want: "list" }, kind, signal);
      const reading = await resolved(next, rests, start, depth);
      return reading.answers.map(({ atLeast }) => atLeast);
    }

    async function resolved(
      listed: readonly ListedToken[],
      wanted: readonly (string | null)[],
      start: string,
      depth: number,
    ): Promise<Reading> {
      const options = { continues: depth > 0, whole: depth === 0 && tokenIds !== null };
      const reading = readAnswers(listed, wanted, options);
      if (!prefill || depth >= deepestLook) return reading;
      const looks = new Map<string, number[]>();
      for (const { token, probability, rests } of reading.prefixes.slice(0, mostLooks))
        if (probability >= worthALook) looks.set(token, await lookBehind(start + token, rests, depth + 1));
      return looks.size === 0 ? reading : readAnswers(listed, wanted, { ...options, looks });
    }

    return { tokens, reading: await resolved(tokens, answers, begun ?? "", 0) };
  }

  async function explain(endpoint: Endpoint<Capabilities>, image: TeacherImage, signal?: AbortSignal) {
    const images = [await pictures.urlOf(image)];
    const question: Question = { parts: prompts.reason, images, maxTokens: reasonTokens, want: "text" };
    const answer = textOf(await send(endpoint, question, "reason", signal));
    const text = withoutThought(answer ?? "")
      .replace(/\s+/g, " ")
      .trim();
    if (!text) throw new RequestFailure("again", say`the answer has no text`);
    return text.length > 200 ? `${text.slice(0, 199)}…` : text;
  }

  return {
    judge,
    async sample(endpoint, images, { texts, seed }, signal) {
      const kind = images.length === 1 ? "point" : "pair";
      const { answers, prefill } = kinds[kind];
      const question: Question = {
        ...(await asked(endpoint, images)),
        prefill,
        maxTokens: answerTokens,
        want: { texts: endpoint.capabilities.choices ? Math.min(texts, mostChoices) : 1, seed },
      };
      const given = textsOf(await send(endpoint, question, kind, signal));
      if (given.length === 0) throw new RequestFailure("again", say`the answer has no text`);
      return countAnswers(given.slice(0, texts), answers);
    },
    explain,
    async trial(endpoint, kind, image, texts, signal) {
      const isReason = kind === "reason";
      const question: Question = {
        ...(isReason
          ? { parts: prompts.reason, images: [await pictures.urlOf(image)] }
          : await asked(endpoint, kind === "point" ? [image] : [image, image])),
        maxTokens: isReason ? reasonTokens : texts > 0 ? answerTokens : 1,
        want: texts > 1 && !isReason ? { texts, seed: 0 } : "text",
      };
      return send(endpoint, question, kind, signal);
    },
  };
}
