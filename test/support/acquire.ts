// A run that uses a managed server, for tests of several processes:
//   node acquire.ts <folder> <serve as JSON>
// Tells JSON lines on stdout: {note}, {endpoint}, {failure}, {again}. `ready` on stdin asks for the endpoint again, `release` or
// its end releases; SIGINT cancels, as on the command line.
import path from "node:path";
import { createInterface } from "node:readline";
import { LeafError } from "../../src/engine/base/errors.ts";
import { acquireServer } from "../../src/engine/teachers/serve/acquire.ts";

const [root, serve] = [process.argv[2]!, JSON.parse(process.argv[3]!)];
const controller = new AbortController();
process.on("SIGINT", () => controller.abort());
const tell = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

try {
  const server = await acquireServer(serve, {
    servers: path.join(root, ".leaf", "servers"),
    root,
    signal: controller.signal,
    onNote: (note) => tell({ note }),
  });
  tell({ endpoint: server.endpoint });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "release") break;
    if (line === "ready") tell({ again: await server.ready(controller.signal) });
  }
  await server.release();
} catch (error) {
  if (!(error instanceof LeafError)) throw error;
  tell({ failure: { code: error.code, message: error.message, remedy: error.remedy } });
  process.exitCode = 1;
}
