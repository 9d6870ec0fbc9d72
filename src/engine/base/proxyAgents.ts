import type http from "node:http";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { say } from "../../words/text.ts";
import { LeafError, messageOf } from "./errors.ts";
import { proxyFor } from "./proxy.ts";
import { knowSecrets } from "./redact.ts";

/** Agents of the proxies that the environment names, made when they are needed. */
export function proxyAgents(options: http.AgentOptions) {
  const agents = new Map<string, http.Agent>();

  function made(proxy: string, secure: boolean): http.Agent {
    const { username, password } = new URL(proxy);
    knowSecrets([password, decodeURIComponent(password), basic(username, password)]);
    return secure ? new HttpsProxyAgent(proxy, options) : new HttpProxyAgent(proxy, options);
  }

  return {
    /** Undefined for a URL that is asked directly. Throws LeafError `environment` for a proxy that cannot be used. */
    of(url: string): http.Agent | undefined {
      const secure = url.startsWith("https:");
      const proxy = proxyOf(url);
      if (proxy === undefined) return undefined;
      const key = `${secure} ${proxy}`;
      const agent = agents.get(key) ?? made(proxy, secure);
      agents.set(key, agent);
      return agent;
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

function proxyOf(url: string): string | undefined {
  try {
    return proxyFor(url, process.env);
  } catch (error) {
    throw new LeafError("environment", say`The proxy that the environment names ${messageOf(error)}.`, {
      remedy: say`Set HTTPS_PROXY to a URL such as http://proxy.example:3128, or name the host in NO_PROXY.`,
    });
  }
}

function basic(username: string, password: string): string {
  return Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
}
