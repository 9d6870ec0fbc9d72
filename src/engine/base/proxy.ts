import { BlockList, isIP } from "node:net";
import { decideEndpoint } from "./endpoint.ts";

type Environment = Record<string, string | undefined>;

/**
 * The proxy for a URL by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in lower case first, as curl reads them; undefined: none.
 * This machine is never asked through a proxy. Throws what is no URL, as a RangeError.
 */
export function proxyFor(url: string, env: Environment): string | undefined {
  const { protocol, hostname, port } = new URL(url);
  const decided = decideEndpoint(url, [], { allowLinkLocal: true });
  if (decided.allowed && decided.local) return undefined;
  const secure = protocol === "https:";
  const name = secure ? "https_proxy" : "http_proxy";
  // In a CGI program HTTP_PROXY is what the client says.
  const upper = secure || env.REQUEST_METHOD === undefined ? env[name.toUpperCase()] : undefined;
  const proxy = [env[name], upper, env.all_proxy, env.ALL_PROXY].find((one) => one?.trim())?.trim();
  if (!proxy) return undefined;
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  if (isExempt(host, port || (secure ? "443" : "80"), env.no_proxy ?? env.NO_PROXY ?? "")) return undefined;
  const spelt = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (!URL.canParse(spelt)) throw new RangeError("is no URL");
  const scheme = new URL(spelt).protocol;
  if (scheme !== "http:" && scheme !== "https:")
    throw new RangeError(`is a ${scheme.slice(0, -1)} proxy; only http and https are possible`);
  return spelt;
}

/** Names (`example.com` and what ends in it), `.example.com`, addresses, ranges `10.0.0.0/8`, each with `:port`; `*` is all. */
function isExempt(host: string, port: string, list: string): boolean {
  return list.split(/[\s,]+/).some((entry) => entry !== "" && fits(entry.toLowerCase(), host, port));
}

function fits(entry: string, host: string, port: string): boolean {
  if (entry === "*") return true;
  const slash = entry.lastIndexOf("/");
  if (slash > 0) return isInRange(host, entry.slice(0, slash), Number(entry.slice(slash + 1)));
  const { name, only } = splitPort(entry);
  if (only !== undefined && only !== port) return false;
  if (isIP(name) || isIP(host)) return isIP(name) !== 0 && isInRange(host, name, isIP(name) === 6 ? 128 : 32);
  const suffix = name.replace(/^\*?\.+/, "").replace(/\.$/, "");
  return suffix !== "" && (host === suffix || host.endsWith(`.${suffix}`));
}

function splitPort(entry: string): { name: string; only: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(entry);
  if (bracketed) return { name: bracketed[1]!, only: bracketed[2] };
  const plain = /^([^:]*):(\d+)$/.exec(entry);
  return plain ? { name: plain[1]!, only: plain[2] } : { name: entry, only: undefined };
}

function isInRange(host: string, network: string, prefix: number): boolean {
  const family = isIP(network.replace(/^\[|\]$/g, ""));
  if (family === 0 || isIP(host) !== family) return false;
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > (family === 6 ? 128 : 32)) return false;
  const type = family === 6 ? "ipv6" : "ipv4";
  const list = new BlockList();
  list.addSubnet(network.replace(/^\[|\]$/g, ""), prefix, type);
  return list.check(host, type);
}
