import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { proxyFor } from "../../../src/engine/base/proxy.ts";
import { createHttpClient } from "../../../src/engine/teachers/openai/http.ts";

const proxy = "http://proxy.example:3128";

describe("proxyFor", () => {
  it("reads the variables as curl does", () => {
    const table: [string, Record<string, string>, string | undefined][] = [
      ["http://a.example/v1", { HTTP_PROXY: proxy }, proxy],
      ["http://a.example/v1", { HTTPS_PROXY: proxy }, undefined],
      [
        "https://a.example/v1",
        { https_proxy: "lower.example:1", HTTPS_PROXY: proxy },
        "http://lower.example:1",
      ],
      ["https://a.example/v1", { ALL_PROXY: proxy }, proxy],
      ["http://a.example/v1", { HTTP_PROXY: proxy, REQUEST_METHOD: "GET" }, undefined],
      ["http://a.example/v1", { HTTP_PROXY: " " }, undefined],
      ["https://a.example/v1", {}, undefined],
    ];
    for (const [url, env, wanted] of table)
      expect(proxyFor(url, env), `${url} ${JSON.stringify(env)}`).toBe(wanted);
    expect(() => proxyFor("https://a.example", { ALL_PROXY: "socks5://p.example:1080" })).toThrow(
      "socks5 proxy",
    );
  });

  it("asks this machine directly", () => {
    for (const host of ["127.0.0.1:8000", "localhost:1", "[::1]:1", "127.1"])
      expect(proxyFor(`http://${host}/v1`, { HTTP_PROXY: proxy, ALL_PROXY: proxy })).toBeUndefined();
  });

  it("keeps NO_PROXY: names and what ends in them, ports, addresses, ranges, all", () => {
    const direct: [string, string][] = [
      ["https://example.com", "example.com"],
      ["https://a.example.com", "example.com"],
      ["https://a.example.com", ".example.com"],
      ["https://a.example.com", "*.example.com"],
      ["https://EXAMPLE.com", "other.org, Example.COM"],
      ["https://example.com:8443", "example.com:8443"],
      ["https://example.com", "example.com:443"],
      ["https://10.1.2.3", "10.1.2.3"],
      ["https://10.1.2.3", "10.0.0.0/8"],
      ["https://[2001:db8::5]", "2001:db8::/32"],
      ["https://[2001:db8::5]", "[2001:db8::5]"],
      ["https://anything.example", "*"],
    ];
    for (const [url, list] of direct)
      expect(proxyFor(url, { ALL_PROXY: proxy, NO_PROXY: list }), `${url} ${list}`).toBeUndefined();
    const through: [string, string][] = [
      ["https://notexample.com", "example.com"],
      ["https://example.com.evil.org", "example.com"],
      ["https://example.com", "example.com:8443"],
      ["https://11.1.2.3", "10.0.0.0/8"],
      ["https://10.1.2.3", "10.0.0.0/99"],
      ["https://10.1.2.3", "2.3"],
      ["https://example.com", ""],
    ];
    for (const [url, list] of through)
      expect(proxyFor(url, { ALL_PROXY: proxy, no_proxy: list }), `${url} ${list}`).toBe(proxy);
  });
});

describe("the client", () => {
  const names = [
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "LEAF_ALLOW_LINK_LOCAL",
  ];
  const before = names.map((name) => [name, process.env[name]] as const);
  const closing: (() => void)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });

  async function startProxy() {
    const seen: { line: string; authorization: string | undefined }[] = [];
    const note = (incoming: IncomingMessage) =>
      seen.push({
        line: `${incoming.method} ${incoming.url}`,
        authorization: incoming.headers["proxy-authorization"],
      });
    const server = createServer((incoming, response) => {
      note(incoming);
      response.end('{"from":"proxy"}');
    });
    server.on("connect", (incoming, socket) => {
      note(incoming);
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\n{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => server.close().closeAllConnections());
    for (const name of names) delete process.env[name];
    return { url: `http://me:sesame@127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
  }
  const ask = async (url: string) => {
    const client = createHttpClient();
    closing.push(() => client.close());
    return client.send({ url, method: "GET", headers: {}, timeoutMs: 5_000 });
  };

  // Addresses that are nobody's (RFC 5737): nothing leaves this machine.
  it("goes through the proxy that the environment names, with its password", async () => {
    const { url, seen } = await startProxy();
    process.env.HTTP_PROXY = url;
    process.env.https_proxy = url;
    expect(JSON.parse((await ask("http://192.0.2.1:8000/v1/models")).body)).toEqual({ from: "proxy" });
    expect((await ask("https://192.0.2.1/v1/models")).status).toBe(403);
    const authorization = `Basic ${Buffer.from("me:sesame").toString("base64")}`;
    expect(seen).toEqual([
      { line: "GET http://192.0.2.1:8000/v1/models", authorization },
      { line: "CONNECT 192.0.2.1:443", authorization },
    ]);
  });

  it("asks this machine directly, and never asks a proxy for a metadata address", async () => {
    const { url, seen } = await startProxy();
    process.env.HTTP_PROXY = url;
    const server = createServer((_, response) => void response.end('{"from":"server"}')).listen(
      0,
      "127.0.0.1",
    );
    await once(server, "listening");
    closing.push(() => server.close().closeAllConnections());
    const { port } = server.address() as AddressInfo;
    expect(JSON.parse((await ask(`http://127.0.0.1:${port}/v1`)).body)).toEqual({ from: "server" });
    await expect(ask("http://169.254.169.254/v1")).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("link-local or metadata"),
    });
    expect(seen).toEqual([]);
  });
});
