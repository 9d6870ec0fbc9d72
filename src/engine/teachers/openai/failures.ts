import type { Text } from "../../../protocol/text.ts";
import { inEnglish, quoted, say } from "../../../words/text.ts";
import { shownUrl } from "../../base/endpoint.ts";
import { LeafError, messageOf } from "../../base/errors.ts";
import { redactor, redactText } from "../../base/redact.ts";

/**
 * Why a request gave no judgement, and what that means:
 * - `image`: the server does not take this question; it would not the next time either
 * - `again`: temporary, one more try of this image
 * - `busy`: the endpoint asks to wait
 * - `down`: nobody answers there
 * What ends the whole run is a LeafError.
 */
export type FailureKind = "image" | "again" | "busy" | "down";

/** An answer that ends the whole run. */
export class StatusError extends LeafError {
  readonly status: number;

  constructor(status: number, message: Text, remedy?: Text) {
    super("environment", message, { remedy });
    this.status = status;
  }
}

export class RequestFailure extends Error {
  readonly kind: FailureKind;
  /** `message` as data. */
  readonly words: Text;
  /** The endpoint's own wish, in ms. */
  readonly waitMs: number | undefined;
  /** The HTTP status that says so. */
  readonly status: number | undefined;
  /** No answer came in time. */
  readonly timedOut: boolean;

  constructor(
    kind: FailureKind,
    message: Text,
    { waitMs, status, timedOut = false }: { waitMs?: number; status?: number; timedOut?: boolean } = {},
  ) {
    const words = redactText(message);
    super(inEnglish(words));
    this.words = words;
    this.kind = kind;
    this.waitMs = waitMs;
    this.status = status;
    this.timedOut = timedOut;
  }
}

/** Removes a key, and what looks like one, from a text that a server or the system wrote. */
export function redact(text: string, key: string | undefined): string {
  return redactor(key ? [key] : [])(text);
}

/** What a server says about an error, in at most 200 characters; OpenAI's, vLLM's and FastAPI's shapes. */
export function saidBy(body: string, key: string | undefined): string {
  let said = body;
  try {
    const parsed = JSON.parse(body) as {
      error?: { message?: unknown } | string;
      message?: unknown;
      detail?: unknown;
    };
    const error = typeof parsed.error === "string" ? parsed.error : parsed.error?.message;
    const found = error ?? parsed.message ?? parsed.detail;
    if (found !== undefined) said = typeof found === "string" ? found : JSON.stringify(found);
  } catch {
    said = /<\s*(!doctype|html)/i.test(body) ? "an HTML page" : body;
  }
  // A server may quote the image.
  const short = said
    .replace(/data:image\/[^"'\s]{20,}/g, "data:image…")
    .replace(/\s+/g, " ")
    .trim();
  const clean = redact(short, key);
  return clean.length > 200 ? `${clean.slice(0, 199)}…` : clean;
}

const unreachable: Record<string, Text> = {
  ECONNREFUSED: say`connection refused`,
  ENOTFOUND: say`unknown host`,
  EAI_AGAIN: say`the host's name cannot be resolved now`,
  EHOSTUNREACH: say`host unreachable`,
  ENETUNREACH: say`network unreachable`,
  EHOSTDOWN: say`host down`,
  ETIMEDOUT: say`connecting took too long`,
  EADDRNOTAVAIL: say`no local port is free`,
};

/** What a network error means. */
export function networkFailure(error: unknown, key?: string): RequestFailure | LeafError {
  const codes = [error, ...(error instanceof AggregateError ? error.errors : [])].map(
    (one) => (one as { code?: string } | null)?.code ?? "",
  );
  const down = codes.find((code) => code in unreachable);
  if (down) return new RequestFailure("down", unreachable[down]!);
  const tls = codes.find((code) => /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)|EPROTO/.test(code));
  if (tls)
    return new LeafError(
      "environment",
      say`The endpoint's TLS certificate or protocol is not accepted (${tls}).`,
      {
        remedy: say`Check \`teacher.endpoint\`; NODE_EXTRA_CA_CERTS names more certificates to trust.`,
      },
    );
  const code = codes.find((one) => one !== "");
  if (code === "ECONNRESET" || code === "EPIPE")
    return new RequestFailure("again", say`the connection broke off`);
  return new RequestFailure("again", quoted(redact(code ?? messageOf(error), key)));
}

/** What an HTTP status other than 2xx means; undefined for 2xx. */
export function statusFailure(
  status: number,
  said: string,
  retryAfter: string | undefined,
  at: { url: string; model: string; body?: string },
): RequestFailure | LeafError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const where = shownUrl(at.url);
  const words = said ? `HTTP ${status}: ${said}` : `HTTP ${status}`;
  if (status === 401 || status === 403)
    return new LeafError("environment", say`${where} does not accept the key (${words}).`, {
      remedy: say`Set the environment variable that \`teacher.keyEnv\` names, or the teacher's key in the editor.`,
    });
  if (status === 404)
    return new StatusError(
      status,
      say`${where} does not know the model “${at.model}” or the path (${words}).`,
      say`Check \`teacher.model\` and that \`teacher.endpoint\` ends as the server's base URL does, mostly in /v1.`,
    );
  if (status === 402 || /insufficient_quota|billing/i.test(at.body ?? ""))
    return new LeafError("environment", say`${where} wants to be paid (${words}).`, {
      remedy: say`Add credit there and run again; finished labels are kept.`,
    });
  if (status === 400 || status === 413 || status === 422)
    return new RequestFailure("image", say`the server refuses it (${words})`);
  if (status === 429 || status === 503)
    return new RequestFailure("busy", quoted(words), {
      waitMs: retryAfterMs(retryAfter, Date.now()),
      status,
    });
  if (status === 408 || status === 409 || status === 425 || status >= 500)
    return new RequestFailure("again", quoted(words), { status });
  return new StatusError(status, say`${where} answers with ${words}.`, say`Check \`teacher.endpoint\`.`);
}

/** RFC 9110, 10.2.3: seconds or an HTTP date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = Number(header);
  const ms = header.trim() !== "" && Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
