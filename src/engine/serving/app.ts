import { createHash, timingSafeEqual } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import * as z from "zod";
import { inEnglish, say } from "../../words/text.ts";
import { byteBudget } from "../base/byteBudget.ts";
import { LeafError, messageOf } from "../base/errors.ts";
import { judgeImage, type NotedScore } from "../scoring/judge.ts";
import type { Student } from "../student/student.ts";
import { door } from "./admission.ts";
import { serviceMetrics } from "./metrics.ts";

export interface ServiceOptions {
  /** Who asks must send `Authorization: Bearer <token>`. Without one only programs of this machine are answered, no web page. */
  token?: string;
  /** Images that are looked at at a time. */
  concurrency: number;
  /** Requests that may wait or be under way; one more is told to come again. */
  maxRequests: number;
  /** Bytes of one request, and of all that are inside. */
  maxBodyBytes: number;
  maxInsideBytes: number;
  maxPixels?: number;
}

const mostImages = 256;
const batch = z.strictObject({
  images: z
    .array(z.strictObject({ id: z.union([z.string(), z.number()]).optional(), data: z.base64() }))
    .min(1)
    .max(mostImages),
});

/** Each entry of a batch's answer, in the order of the request. */
export type BatchEntry = { id?: string | number } & (NotedScore | { error: string });

declare module "fastify" {
  interface FastifyRequest {
    /** Gives a scoring request's room back. */
    leave?: () => void;
  }
}

/**
 * Scores over HTTP: `POST /v1/score` (an image's bytes), `POST /v1/batch` (JSON, base64), `GET /healthz`, `GET /metrics`.
 * `close()` refuses new requests (503), answers those inside, and then resolves. It does not close the student.
 */
export function scoringService(student: Student, options: ServiceOptions): FastifyInstance {
  const { token, maxPixels, maxBodyBytes } = options;
  const room = door({ requests: options.maxRequests, bytes: options.maxInsideBytes });
  // First come, first served, as bytes are.
  const slots = byteBudget(options.concurrency);
  const facts = {
    fingerprint: student.fingerprint,
    stage: student.card.stage,
    scale: student.card.mosScale?.range ?? ([1, 5] as [number, number]),
  };
  const metrics = serviceMetrics({ fingerprint: facts.fingerprint, stage: facts.stage }, room.inside);
  const app = fastify({ bodyLimit: maxBodyBytes, forceCloseConnections: "idle" });

  const judge = (bytes: Buffer): Promise<NotedScore> =>
    slots
      .run(1, () => judgeImage(student, bytes, { maxPixels }))
      .then(
        (score) => {
          metrics.image("scored");
          return score;
        },
        (error: unknown) => {
          metrics.image("failed");
          throw error;
        },
      );

  app.addContentTypeParser(/^image\/|^application\/octet-stream/, { parseAs: "buffer" }, (_, body, done) =>
    done(null, body),
  );
  app.addHook("onRequest", async (request, reply) => {
    if (token !== undefined && !isToken(request, token))
      return refuse(reply, 401, say`The token is missing or wrong.`);
    // A page in a browser could otherwise keep the machine busy.
    if (token === undefined && request.headers.origin !== undefined)
      return refuse(reply, 403, say`Requests from web pages need a token.`);
    if (request.method !== "POST") return;
    const length = Number(request.headers["content-length"] ?? maxBodyBytes);
    if (length > maxBodyBytes) return;
    request.leave = room.enter(length);
    if (request.leave) return;
    reply.header("retry-after", "1");
    return refuse(reply, 503, say`Too many requests wait already. Try again in a moment.`);
  });
  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
  });
  // A connection that is kept would hold up the end until it times out.
  app.addHook("onSend", async (_, reply) => {
    if (closing) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    request.leave?.();
    metrics.request(request.routeOptions.url ?? "none", reply.statusCode, reply.elapsedTime / 1000);
  });
  app.addHook("onRequestAbort", async (request) => request.leave?.());
  app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => {
    const ofImage = error instanceof LeafError && error.code === "input";
    const status = ofImage ? 422 : (error.statusCode ?? 500);
    return reply.code(status).send({ error: messageOf(error) });
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, say`There is no ${request.method} ${request.url.split("?")[0]!}.`),
  );

  app.get("/healthz", () => ({ status: "ok", student: facts }));
  app.get("/metrics", async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  app.post("/v1/score", async (request, reply) => {
    if (!Buffer.isBuffer(request.body))
      return refuse(
        reply,
        415,
        say`Send the bytes of an image, as \`application/octet-stream\` or \`image/…\`.`,
      );
    return { student: facts.fingerprint, ...(await judge(request.body)) };
  });
  app.post("/v1/batch", async (request, reply) => {
    const read = batch.safeParse(request.body);
    if (!read.success)
      return refuse(
        reply,
        400,
        say`Send \`{"images": [{"id": anything, "data": base64}]}\`, at most ${mostImages} of them.`,
      );
    const results = await Promise.all(
      read.data.images.map(async ({ id, data }): Promise<BatchEntry> => {
        const named = id === undefined ? {} : { id };
        try {
          return { ...named, ...(await judge(Buffer.from(data, "base64"))) };
        } catch (error) {
          return { ...named, error: messageOf(error) };
        }
      }),
    );
    return { student: facts.fingerprint, results };
  });
  return app;
}

function refuse(reply: FastifyReply, status: number, sentence: ReturnType<typeof say>): FastifyReply {
  return reply.code(status).send({ error: inEnglish(sentence) });
}

/** In a time that tells nothing of the token. */
function isToken({ headers }: FastifyRequest, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(headers.authorization ?? ""), digest(`Bearer ${token}`));
}
