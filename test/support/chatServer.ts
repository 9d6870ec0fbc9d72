import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a chat completion was asked with, as far as tests look at it. */
export interface ChatRequest {
  model: string;
  messages: {
    role: string;
    content: string | { type: string; text?: string; image_url?: { url: string } }[];
  }[];
  max_tokens?: number;
  top_logprobs?: number;
  logprob_token_ids?: number[];
  continue_final_message?: boolean;
}

export type Answering = (
  request: ChatRequest,
  response: ServerResponse,
  incoming: IncomingMessage,
) => unknown | Promise<unknown>;

export interface ChatServer {
  url: string;
  /** Chat completions that were asked for, probes included. */
  requests: ChatRequest[];
  headers: IncomingMessage["headers"][];
  mostUnderWay: number;
  /** As its list of models says. */
  owner: string;
  /** What `/metrics` answers. */
  metrics?: () => string;
  close(): Promise<void>;
}

/** A chat completion whose next tokens have these probabilities. */
export function completion(
  probabilities: Record<string, number>,
  promptTokens = 100,
): Record<string, unknown> {
  const listed = Object.entries(probabilities).map(([token, p]) => ({
    token,
    logprob: Math.log(p),
    bytes: null,
  }));
  return {
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: listed[0]!.token },
        logprobs: { content: [{ ...listed[0]!, top_logprobs: listed }] },
      },
    ],
    usage: { prompt_tokens: promptTokens, completion_tokens: 1, total_tokens: promptTokens + 1 },
  };
}

/** How many pictures a question has. */
export function picturesIn(request: ChatRequest): string[] {
  return request.messages.flatMap(({ content }) =>
    typeof content === "string" ? [] : content.flatMap((part) => part.image_url?.url ?? []),
  );
}

/** Good answers: "good" for one picture, "A" for two. */
export function goodAnswer(request: ChatRequest): Record<string, unknown> {
  return picturesIn(request).length === 2
    ? completion({ A: 0.7, B: 0.2, The: 0.05 })
    : completion({ good: 0.6, fair: 0.2, excellent: 0.1, poor: 0.05, bad: 0.04 });
}

/**
 * An OpenAI-compatible server whose answers a test decides: it returns the JSON to send, or writes to the response itself and
 * returns undefined.
 */
export async function startChatServer(answer: Answering = goodAnswer, port = 0): Promise<ChatServer> {
  const requests: ChatRequest[] = [];
  const headers: IncomingMessage["headers"][] = [];
  let underWay = 0;
  const server = createServer(async (incoming, response) => {
    response.on("error", () => {});
    if (incoming.method === "GET") {
      if (incoming.url === "/metrics" && chat.metrics) {
        response.end(chat.metrics());
        return;
      }
      response.end(JSON.stringify({ data: [{ id: "m", owned_by: chat.owner }] }));
      return;
    }
    if (incoming.url !== "/v1/chat/completions") {
      response.writeHead(404).end("{}");
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = JSON.parse(Buffer.concat(chunks).toString()) as ChatRequest;
    requests.push(request);
    headers.push(incoming.headers);
    chat.mostUnderWay = Math.max(chat.mostUnderWay, ++underWay);
    response.once("close", () => underWay--);
    const body = await answer(request, response, incoming);
    if (body !== undefined) response.setHeader("content-type", "application/json").end(JSON.stringify(body));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const chat: ChatServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    headers,
    mostUnderWay: 0,
    owner: "test",
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return chat;
}
