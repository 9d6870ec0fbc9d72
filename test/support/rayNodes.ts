import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { childEnvironment } from "../../src/engine/base/environment.ts";
import { trainerEnvironment } from "../../src/engine/python/environment.ts";

/** Two nodes of one processor each on this machine. `env`: of whoever may work there. */
export async function twoNodes(interpreter: string) {
  const token = { RAY_AUTH_MODE: "token", RAY_AUTH_TOKEN: randomBytes(32).toString("hex") };
  const child = spawn(interpreter, ["test/support/ray_nodes.py"], {
    env: { ...trainerEnvironment(), ...token },
    stdio: ["pipe", "pipe", "ignore"],
    detached: true,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  const gone = once(child, "close");
  return {
    address: await next(),
    env: childEnvironment(token),
    async killOne() {
      child.stdin.write("kill\n");
      await next();
    },
    async end() {
      child.stdin.end();
      await gone;
      // Ray's processes end some seconds later.
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // All are gone.
      }
    },
  };
}
