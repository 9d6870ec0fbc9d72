import { BlockList, isIP } from "node:net";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";

/** What may be done with an endpoint; `decideEndpoint` is pure, so that nothing is sent to find out. */
export type EndpointDecision =
  | {
      allowed: true;
      /** Every address is of this machine. */
      local: boolean;
      encrypted: boolean;
    }
  | { allowed: false; reason: Text };

export interface EndpointSettings {
  /** The user's own word that link-local and metadata addresses are meant. */
  allowLinkLocal: boolean;
}

const loopback = lists(["127.0.0.0/8", "0.0.0.0/32", "::1/128", "::/128"]);

/** Link-local, and where clouds answer a machine's questions about itself, its credentials among them. */
const linkLocal = lists([
  "169.254.0.0/16",
  "fe80::/10",
  "fd00:ec2::254/128", // AWS
  "fd20:ce::254/128", // Google
  "100.100.100.200/32", // Alibaba
  "192.0.0.192/32", // Oracle
  "168.63.129.16/32", // Azure
]);

const metadataNames = /^(metadata|instance-data)(\.((google|ec2|azure)\.)?internal)?$|(^|\.)metadata\.goog$/;

/** `addresses`: what the host's name resolves to; none where it is not known yet, or a proxy will ask. */
export function decideEndpoint(
  url: string,
  addresses: readonly string[],
  { allowLinkLocal }: EndpointSettings,
): EndpointDecision {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol))
    return { allowed: false, reason: say`it is no http or https URL` };
  const host = hostOf(parsed);
  const named = isIP(host) ? [host] : [];
  const all = [...named, ...addresses].flatMap(spellings);
  if (!allowLinkLocal) {
    const bad = all.find((one) => isIn(linkLocal, one));
    if (bad !== undefined)
      return {
        allowed: false,
        reason: say`${bad} is a link-local or metadata address, which tells a machine's credentials`,
      };
    if (metadataNames.test(host))
      return {
        allowed: false,
        reason: say`${host} is the name of a metadata service, which tells a machine's credentials`,
      };
  }
  const isLocalName = host === "localhost" || host.endsWith(".localhost");
  const local = all.length > 0 ? all.every((one) => isIn(loopback, one)) : isLocalName;
  if (isLocalName && !local) return { allowed: false, reason: say`${host} does not resolve to this machine` };
  return { allowed: true, local, encrypted: parsed.protocol === "https:" };
}

/** Scheme, host and port: what a key is given for. */
export function originOf(url: string): string {
  return new URL(url).origin;
}

/** In lower case, without brackets and the dot at the end. URL has spelt decimal, octal and hex IPv4 out already. */
function hostOf({ hostname }: URL): string {
  const bare = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const undotted = bare.replace(/\.+$/, "");
  // What was a name only by its last dot: 169.254.169.254.
  return URL.canParse(`http://${undotted}/`) && !bare.includes(":")
    ? new URL(`http://${undotted}/`).hostname
    : bare;
}

/** An address, and the IPv4 one that it stands for (mapped, compatible, NAT64, 6to4). */
function spellings(address: string): string[] {
  const bare = address.toLowerCase().replace(/%.*$/, "");
  if (isIP(bare) !== 6) return isIP(bare) ? [bare] : [];
  const words = wordsOf(bare);
  const [w0, w1, w2] = words as [number, number, number];
  const from = (at: number) => [
    `${words[at]! >> 8}.${words[at]! & 255}.${words[at + 1]! >> 8}.${words[at + 1]! & 255}`,
  ];
  const firstZero = (n: number) => words.slice(0, n).every((word) => word === 0);
  if (firstZero(5) && (words[5] === 0xffff || (words[5] === 0 && words[6] !== 0))) return from(6);
  if (firstZero(4) && words[4] === 0xffff && words[5] === 0) return from(6);
  if (w0 === 0x64 && w1 === 0xff9b) return [bare, ...from(6)];
  if (w0 === 0x2002) return [bare, `${w1 >> 8}.${w1 & 255}.${w2 >> 8}.${w2 & 255}`];
  return [bare];
}

/** The eight words of an IPv6 address; URL spells the IPv4 ending in hex. */
function wordsOf(address: string): number[] {
  const plain = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const parse = (part: string | undefined) =>
    part ? part.split(":").map((word) => Number.parseInt(word, 16)) : [];
  const [before, after] = [parse(head), parse(tail)];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function lists(ranges: string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", prefix] = range.split("/");
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** An endpoint as messages show it: without user, query and fragment. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname.replace(/\/$/, "")}`;
}
