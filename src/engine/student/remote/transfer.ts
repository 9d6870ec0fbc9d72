import http from "node:http";
import https from "node:https";
import { say } from "../../../words/text.ts";
import { checkedLookup, refuseEndpoint, refuseResolved } from "../../base/endpointGuard.ts";
import { LeafError, messageOf, throwIfCancelled } from "../../base/errors.ts";
import { megabytes } from "../../base/limits.ts";
import { proxyAgents } from "../../base/proxyAgents.ts";
import { refusePlain, shown } from "./address.ts";
import { signed } from "./s3.ts";

/** No byte for so long: the other side is gone. */
const idleMs = 60_000;
const mostRedirects = 5;

interface Transfer {
  method: "GET" | "PUT";
  url: string;
  body?: Buffer;
  /** A longer answer is refused while it arrives. */
  most: number;
  signal?: AbortSignal;
}

/** The bytes of an https, http or s3 URL. Throws LeafErrors `failed` and `cancelled`. */
export function get(url: string, most: number, signal?: AbortSignal): Promise<Buffer> {
  return transfer({ method: "GET", url, most, signal });
}

export async function put(url: string, body: Buffer, signal?: AbortSignal): Promise<void> {
  await transfer({ method: "PUT", url, body, most: 2 ** 20, signal });
}

async function transfer(wanted: Transfer): Promise<Buffer> {
  const proxies = proxyAgents({});
  try {
    let { url, headers } = await signed(wanted.method, wanted.url, wanted.body);
    for (let hop = 0; hop <= mostRedirects; hop++) {
      throwIfCancelled(wanted.signal);
      refusePlain(url);
      refuseEndpoint(url);
      const agent = proxies.of(url);
      if (agent) await refuseResolved(url);
      const answer = await once(wanted, url, headers, agent);
      const { status, location, body } = answer;
      if (status >= 200 && status < 300) return body;
      if (status < 300 || status >= 400 || !location || wanted.method === "PUT")
        throw refused(wanted, status);
      url = new URL(location, url).href;
      // A signature is for one host.
      headers = {};
    }
    throw new LeafError("failed", say`${shown(wanted.url)} leads from one address to the next.`);
  } finally {
    proxies.close();
  }
}

interface Answer {
  status: number;
  location: string | undefined;
  body: Buffer;
}

function once(
  { method, body, most, signal, url: named }: Transfer,
  url: string,
  headers: Record<string, string>,
  agent: http.Agent | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      if (signal?.aborted) return reject(new LeafError("cancelled", say`Cancelled.`));
      if (error instanceof LeafError) return reject(error);
      reject(
        new LeafError("failed", say`${shown(named)} cannot be reached (${messageOf(error)}).`, {
          cause: error,
        }),
      );
    };
    const sent = (url.startsWith("https:") ? https : http).request(url, {
      method,
      agent,
      lookup: agent ? undefined : checkedLookup,
      headers: body ? { ...headers, "content-length": body.length } : headers,
      signal,
    });
    sent.setTimeout(idleMs, () => sent.destroy(new Error("no answer")));
    sent.on("error", fail);
    sent.on("response", (answer) => {
      const pieces: Buffer[] = [];
      let size = 0;
      answer.on("data", (piece: Buffer) => {
        size += piece.length;
        if (size <= most) pieces.push(piece);
        else sent.destroy(new LeafError("input", say`${shown(named)} has more than ${megabytes(most)}.`));
      });
      answer.on("error", fail);
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          location: answer.headers.location,
          body: Buffer.concat(pieces),
        }),
      );
    });
    sent.end(body);
  });
}

function refused({ url, method }: Transfer, status: number): LeafError {
  const where = shown(url);
  if (method === "GET" && status === 404)
    return new LeafError("failed", say`There is no ${where}.`, {
      remedy: say`Name the folder that \`leaf export student\` wrote.`,
    });
  const remedy =
    status === 401 || status === 403
      ? say`For S3 the environment names who asks: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.`
      : undefined;
  return new LeafError("failed", say`${where} was refused with status ${status}.`, { remedy });
}
