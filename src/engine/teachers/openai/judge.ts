import { quoted, say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import type { Prompts } from "../prompts.ts";
import type { TeacherImage } from "../teacher.ts";
import { type Reading, readAnswers } from "./answers.ts";
import type { QuestionKind } from "./budget.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Client } from "./client.ts";
import { RequestFailure, shownUrl } from "./failures.ts";
import type { Pictures } from "./pictures.ts";
import type { Endpoint } from "./pool.ts";
import { chatBody, type Question } from "./question.ts";
import { type ListedToken, textOf, tokensOf } from "./tokens.ts";

/** A prefix token of at least this probability is looked behind; so many of them, and so many tokens deep. */
const worthALook = 0.01;
const mostLooks = 3;
const deepestLook = 3;
const reasonTokens = 48;

export interface Judged {
  tokens: ListedToken[];
  reading: Reading;
}

/** Asks one endpoint one thing. All throw RequestFailure and LeafError as the client does, LeafError `input` for an unreadable image. */
export interface Judge {
  /** Answers: the five words for one image; the letters and the tie, if offered, for two. */
  judge(
    endpoint: Endpoint<Capabilities>,
    images: readonly TeacherImage[],
    signal?: AbortSignal,
  ): Promise<Judged>;
  explain(endpoint: Endpoint<Capabilities>, image: TeacherImage, signal?: AbortSignal): Promise<string>;
  /** The completion itself, to see what it took. */
  trial(
    endpoint: Endpoint<Capabilities>,
    kind: "point" | "pair" | "reason",
    image: TeacherImage,
    signal?: AbortSignal,
  ): Promise<unknown>;
}

export function createJudge(client: Client, prompts: Prompts, pictures: Pictures): Judge {
  const tie = prompts.tie === null ? [] : [prompts.tie];
  const kinds = {
    point: { parts: prompts.point, answers: prompts.words as readonly string[], prefill: prompts.prefill },
    pair: { parts: prompts.pair, answers: [...prompts.letters, ...tie], prefill: null },
  };

  function send(
    endpoint: Endpoint<Capabilities>,
    question: Question,
    kind: QuestionKind,
    signal?: AbortSignal,
  ) {
    const body = chatBody(client.model, question, endpoint.capabilities);
    return client.complete(endpoint.url, body, kind, signal);
  }

  async function list(...asked: Parameters<typeof send>): Promise<ListedToken[]> {
    const tokens = tokensOf(await send(...asked));
    if (typeof tokens === "string") throw new RequestFailure("again", quoted(tokens));
    return tokens;
  }

  const urls = (images: readonly TeacherImage[]) => Promise.all(images.map((image) => pictures.urlOf(image)));

  async function judge(
    endpoint: Endpoint<Capabilities>,
    images: readonly TeacherImage[],
    signal?: AbortSignal,
  ) {
    const kind = images.length === 1 ? "point" : "pair";
    const { tokenIds, twoImages, prefill } = endpoint.capabilities;
    if (kind === "pair" && twoImages !== true)
      throw new LeafError(
        "environment",
        say`${shownUrl(endpoint.url)} takes no two images in one question: ${twoImages}.`,
        {
          remedy: say`Allow them (vLLM: \`--limit-mm-per-prompt '{"image": 2}'\`; longer context), or set \`label.pairsPerImage: 0\`.`,
        },
      );
    const { parts, answers, prefill: begun } = kinds[kind];
    const question: Question = {
      parts,
      images: await urls(images),
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

  return {
    judge,
    async explain(endpoint, image, signal) {
      const images = await urls([image]);
      const question: Question = { parts: prompts.reason, images, maxTokens: reasonTokens, want: "text" };
      const text = textOf(await send(endpoint, question, "reason", signal))
        ?.replace(/\s+/g, " ")
        .trim();
      if (!text) throw new RequestFailure("again", say`the answer has no text`);
      return text.length > 200 ? `${text.slice(0, 199)}…` : text;
    },
    async trial(endpoint, kind, image, signal) {
      const parts = kind === "reason" ? prompts.reason : kinds[kind].parts;
      const [url] = await urls([image]);
      const question: Question = {
        parts,
        images: [url!, url!],
        maxTokens: kind === "reason" ? reasonTokens : 1,
        want: "text",
      };
      return send(endpoint, question, kind, signal);
    },
  };
}
