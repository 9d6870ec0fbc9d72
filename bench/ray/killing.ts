import { rayInterpreter } from "../../src/engine/python/ray.ts";
import { twoNodes } from "../../test/support/rayNodes.ts";
import type { Ended } from "./leaf.ts";

type Work = (
  address: string[],
  options: { env: NodeJS.ProcessEnv; onProgress: (share: number) => void },
) => Promise<Ended>;

/** Work on two nodes of one worker each, of which one is killed after a third. */
export async function withOneKilled(work: Work): Promise<Ended & { killed: boolean; address: string[] }> {
  const nodes = await twoNodes(rayInterpreter());
  const address = ["--address", nodes.address];
  let killed = false;
  const ended = await work(address, {
    env: nodes.env,
    onProgress(share) {
      if (share < 30 || killed) return;
      killed = true;
      void nodes.killOne();
    },
  });
  await nodes.end();
  return { ...ended, killed, address };
}
