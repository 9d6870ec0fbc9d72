import dns from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { decideEndpoint, shownUrl } from "./endpoint.ts";
import { LeafError } from "./errors.ts";

/** The user's own word, from the environment or the editor's setting. */
const settings = () => ({ allowLinkLocal: process.env.LEAF_ALLOW_LINK_LOCAL === "1" });

/** Throws LeafError `config` for an endpoint that no request may go to. */
export function refuseEndpoint(url: string, addresses: readonly string[] = []): void {
  const decided = decideEndpoint(url, addresses, settings());
  if (!decided.allowed) throw refused(shownUrl(url), decided.reason);
}

/** A proxy connects: the target is looked at here, where its name is known here at all. */
export async function refuseResolved(url: string): Promise<void> {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (isIP(host)) return;
  const found = await dns.promises.lookup(host, { all: true }).catch(() => []);
  refuseEndpoint(
    url,
    found.map(({ address }) => address),
  );
}

/** Looks a name up and gives only addresses that a request may go to: what was looked at is what is used. */
export const checkedLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, []);
    const decided = decideEndpoint(
      `http://${hostname}/`,
      found.map(({ address }) => address),
      settings(),
    );
    if (!decided.allowed) return callback(refused(hostname, decided.reason), []);
    if (options.all) return callback(null, found);
    const [first] = found;
    callback(null, first?.address ?? "", first?.family);
  });
};

function refused(where: string, reason: Text): LeafError {
  return new LeafError("config", say`The endpoint ${where} is refused: ${reason}.`, {
    remedy: say`Correct the address. If it is meant, allow it by your setting \`leaf.teacher.allowLinkLocal\` (LEAF_ALLOW_LINK_LOCAL=1).`,
  });
}
