import http from "node:http";
import { connect, createServer } from "node:net";

const host = "127.0.0.1";

/** Base URL of a server of this machine's. */
export const endpointOf = (port: number) => `http://${host}:${port}/v1`;

/** A port that nobody listens on just now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Whether somebody listens on a port. */
export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: 2_000 });
    const answer = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once("connect", () => answer(true));
    socket.once("timeout", () => answer(false));
    socket.once("error", () => answer(false));
  });
}

/**
 * Whether the server takes requests: `/health` (vLLM, SGLang, llama.cpp: 503 while it loads) or, where there is none,
 * `/v1/models`. A server that wants a key is there.
 */
export async function isHealthy(port: number): Promise<boolean> {
  const health = await status(port, "/health");
  if (health === 404 || health === 405) {
    const models = await status(port, "/v1/models");
    return models === 200 || models === 401 || models === 403;
  }
  return health === 200 || health === 401 || health === 403;
}

/** By an agent of its own: this machine is never asked through a proxy. */
function status(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = http.get({ host, port, path, agent: new http.Agent(), timeout: 5_000 }, (answer) => {
      resolve(answer.statusCode);
      answer.destroy();
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(undefined));
    asked.once("close", () => resolve(undefined));
  });
}
