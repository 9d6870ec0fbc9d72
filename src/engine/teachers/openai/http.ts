import http from "node:http";
import https from "node:https";
import { say } from "../../../words/text.ts";
import { checkedLookup, refuseEndpoint, refuseResolved } from "../../base/endpointGuard.ts";
import { LeafError, throwIfCancelled } from "../../base/errors.ts";
import { proxyAgents } from "../../base/proxyAgents.ts";
import { networkFailure, RequestFailure } from "./failures.ts";

/** A larger answer is refused while it arrives. */
const maxAnswerBytes = 8 * 2 ** 20;

export interface HttpRequest {
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: readonly Buffer[];
  /** From the start to the end of the answer. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  retryAfter: string | undefined;
  body: string;
}

export interface HttpClient {
  /** Throws RequestFailure `down` or `again`, or a LeafError: `cancelled`, `environment` for TLS, `config` for an address that is refused. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/**
 * Requests over kept connections. node:http rather than fetch: fetch gives up after five minutes whatever `teacher.timeout` says,
 * and that cannot be set without another package.
 */
export function createHttpClient(): HttpClient {
  const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 4096 };
  // The address that is connected to is the one that was looked at.
  const direct = { ...options, lookup: checkedLookup };
  const agents = { http: new http.Agent(direct), https: new https.Agent(direct) };
  const proxies = proxyAgents(options);

  async function agentFor(url: string): Promise<http.Agent> {
    refuseEndpoint(url);
    const proxy = proxies.of(url);
    if (proxy) await refuseResolved(url);
    return proxy ?? (url.startsWith("https:") ? agents.https : agents.http);
  }

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    const agent = await agentFor(request.url);
    for (let attempt = 0; ; attempt++) {
      throwIfCancelled(request.signal);
      const outcome = await once(request, agent);
      if (!("error" in outcome)) return outcome;
      throwIfCancelled(request.signal);
      // The server closed a kept connection just as it was used again; nothing was asked yet.
      if (outcome.stale && attempt < 3) continue;
      const { error } = outcome;
      throw error instanceof RequestFailure || error instanceof LeafError ? error : networkFailure(error);
    }
  }

  return {
    send,
    close() {
      agents.http.destroy();
      agents.https.destroy();
      proxies.close();
    },
  };
}

/** `stale`: a kept connection was closed before anything was answered. */
type Outcome = HttpAnswer | { error: unknown; stale: boolean };

function once(request: HttpRequest, agent: http.Agent): Promise<Outcome> {
  const { url, method, headers, body, timeoutMs, signal } = request;
  return new Promise((resolve) => {
    const secure = url.startsWith("https:");
    const sent = (secure ? https : http).request(url, {
      method,
      agent,
      headers: body === undefined ? headers : { ...headers, "content-length": lengthOf(body) },
    });
    let answering = false;
    const end = (outcome: Outcome) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(outcome);
    };
    const stop = (error: Error) => {
      end({ error, stale: false });
      sent.destroy();
    };
    const timer = setTimeout(
      () =>
        stop(new RequestFailure("again", say`no answer within ${timeoutMs / 1000} s`, { timedOut: true })),
      timeoutMs,
    );
    const abort = () => stop(new LeafError("cancelled", say`Cancelled.`));
    signal?.addEventListener("abort", abort, { once: true });
    sent.on("error", (error: Error & { code?: string }) => {
      const reset = error.code === "ECONNRESET" || error.code === "EPIPE";
      end({ error, stale: reset && sent.reusedSocket && !answering });
    });
    sent.on("response", (answer) => {
      answering = true;
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxAnswerBytes)
          stop(new RequestFailure("again", say`the answer is over ${maxAnswerBytes / 2 ** 20} MB`));
        else chunks.push(chunk);
      });
      answer.on("error", (error) => end({ error, stale: false }));
      answer.on("end", () =>
        end({
          status: answer.statusCode ?? 0,
          retryAfter: answer.headers["retry-after"],
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    for (const piece of body ?? []) sent.write(piece);
    sent.end();
  });
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}
