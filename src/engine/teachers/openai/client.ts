import { say } from "../../../words/text.ts";
import { throwIfCancelled } from "../../base/errors.ts";
import type { Budget, QuestionKind } from "./budget.ts";
import { RequestFailure, saidBy, statusFailure } from "./failures.ts";
import type { HttpClient } from "./http.ts";
import type { Asked } from "./question.ts";
import { usageOf } from "./tokens.ts";

export interface ClientOptions {
  http: HttpClient;
  budget: Budget;
  model: string;
  /** `teacher.request`. */
  request: Record<string, unknown>;
  /** The key for a URL's endpoint. */
  keyFor(url: string): string | undefined;
  timeoutMs: number;
}

export interface Client extends Asked {
  /** A chat completion as parsed JSON. Throws RequestFailure, or LeafError for what ends the run. */
  complete(base: string, body: readonly Buffer[], kind: QuestionKind, signal?: AbortSignal): Promise<unknown>;
  /** Any other JSON resource; costs nothing. Same errors. */
  fetchJson(url: string, body?: unknown, signal?: AbortSignal): Promise<unknown>;
  /** The text of a resource of the endpoint `base`. Same errors. */
  fetchText(url: string, signal?: AbortSignal): Promise<string>;
}

export function createClient({ http, budget, model, request, keyFor, timeoutMs }: ClientOptions): Client {
  const plain = { "content-type": "application/json", accept: "application/json" };

  async function sendForText(
    url: string,
    body: readonly Buffer[] | undefined,
    signal?: AbortSignal,
  ): Promise<string> {
    const method = body === undefined ? "GET" : "POST";
    const key = keyFor(url);
    const headers = key ? { ...plain, authorization: `Bearer ${key}` } : plain;
    const answer = await http.send({ url, method, headers, body, timeoutMs, signal });
    const said = answer.status >= 200 && answer.status < 300 ? "" : saidBy(answer.body, key);
    const failure = statusFailure(answer.status, said, answer.retryAfter, { url, model, body: answer.body });
    if (failure) throw failure;
    return answer.body;
  }

  async function send(
    url: string,
    body: readonly Buffer[] | undefined,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const text = await sendForText(url, body, signal);
    try {
      return parsed(text);
    } catch {
      const shown = saidBy(text.slice(0, 2000), keyFor(url)).slice(0, 60);
      throw new RequestFailure("again", say`the answer is not JSON (${shown || say`empty`})`);
    }
  }

  return {
    model,
    request,
    async complete(base, body, kind, signal) {
      throwIfCancelled(signal);
      const reserved = budget.reserve(kind);
      try {
        const completion = await send(`${trimmed(base)}/chat/completions`, body, signal);
        reserved.settle(usageOf(completion));
        return completion;
      } finally {
        reserved.settle();
      }
    },
    fetchJson: (url, body, signal) =>
      send(url, body === undefined ? undefined : [Buffer.from(JSON.stringify(body))], signal),
    fetchText: (url, signal) => sendForText(url, undefined, signal),
  };
}

/** JSON, also with the bare NaN and Infinity that Python writes for tokens without probability: they count as null. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    const numbers = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
    return JSON.parse(body.replace(numbers, (one) => (one.startsWith('"') ? one : "null")));
  }
}

/** A base URL without the slash at its end. */
export function trimmed(base: string): string {
  return base.replace(/\/+$/, "");
}
