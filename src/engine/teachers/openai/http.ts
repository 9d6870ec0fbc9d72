import http from "node:http";
import https from "node:https";
import { LeafError, throwIfCancelled } from "../../errors.ts";
import { networkFailure, RequestFailure } from "./failures.ts";

/** A larger answer is refused while it arrives. */
const maxAnswerBytes = 8 * 2 ** 20;

export interface HttpRequest {
  url: string;
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: string;
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
  /** Throws RequestFailure `down` or `again`, LeafError `cancelled`, or LeafError `environment` for TLS. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/**
 * Requests over kept connections. node:http rather than fetch: fetch gives up after five minutes whatever `teacher.timeout` says,
 * and that cannot be set without another package.
 */
export function createHttpClient(): HttpClient {
  const options = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 4096 };
  const agents = { http: new http.Agent(options), https: new https.Agent(options) };

  async function send(request: HttpRequest): Promise<HttpAnswer> {
    for (let attempt = 0; ; attempt++) {
      throwIfCancelled(request.signal);
      const outcome = await once(request, agents);
      if (!("error" in outcome)) return outcome;
      throwIfCancelled(request.signal);
      // The server closed a kept connection just as it was used again; nothing was asked yet.
      if (outcome.stale && attempt < 3) continue;
      const { error } = outcome;
      throw error instanceof RequestFailure ? error : networkFailure(error);
    }
  }

  return {
    send,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

/** `stale`: a kept connection was closed before anything was answered. */
type Outcome = HttpAnswer | { error: unknown; stale: boolean };

function once(request: HttpRequest, agents: { http: http.Agent; https: https.Agent }): Promise<Outcome> {
  const { url, method, headers, body, timeoutMs, signal } = request;
  return new Promise((resolve) => {
    const secure = url.startsWith("https:");
    const sent = (secure ? https : http).request(url, {
      method,
      agent: secure ? agents.https : agents.http,
      headers: body === undefined ? headers : { ...headers, "content-length": Buffer.byteLength(body) },
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
      () => stop(new RequestFailure("again", `no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const abort = () => stop(new LeafError("cancelled", "Cancelled."));
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
          stop(new RequestFailure("again", `the answer is over ${maxAnswerBytes / 2 ** 20} MB`));
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
    sent.end(body);
  });
}
