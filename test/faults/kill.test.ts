import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  config,
  leaf,
  leafJson,
  makeWorkspace,
  startLeaf,
  temporaryFolder,
} from "../integration/workspace.ts";
import { copyWithout, labelsOf, leftovers, processesOf, scoresOf, sleep, until } from "./support/projects.ts";
import { pick, trials } from "./support/trials.ts";

// kill -9 at any moment, of the command, its Python child, or the whole group: the next run ends with the same labels and
// scores as one that was never disturbed, and no process is left.

const whole = temporaryFolder();
const stages = ["label", "distill", "calibrate", "evaluate"] as const;
let seconds: Record<string, number>;
let expected: { labels: ReturnType<typeof labelsOf>; scores: Awaited<ReturnType<typeof scoresOf>> };

beforeAll(async () => {
  await makeWorkspace(whole.dir, 24);
  writeFileSync(path.join(whole.dir, "leaf.yaml"), config("", { epochs: 2 }));
  seconds = {};
  for (const stage of stages) {
    const started = performance.now();
    await leafJson(whole.dir, stage);
    seconds[stage] = (performance.now() - started) / 1000;
  }
  expected = { labels: labelsOf(whole.dir), scores: await scoresOf(whole.dir) };
}, 300_000);
afterAll(() => whole.remove());

/** Starts a stage and ends it the hard way after some part of the time it takes. */
async function killed(dir: string, stage: string, after: number, who: string): Promise<boolean> {
  const { child, done } = startLeaf(dir, [stage]);
  const ended = await Promise.race([done.then(() => true), sleep(after * 1000).then(() => false)]);
  if (ended) return false;
  const others = processesOf(path.join(dir, ".leaf")).filter((pid) => pid !== child.pid);
  for (const pid of who === "command" ? [child.pid!] : who === "python" ? others : [child.pid!, ...others]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await done;
  return true;
}

for (const stage of stages) {
  test(`kill -9 during ${stage} loses nothing`, { timeout: 3_600_000 }, async () => {
    let kills = 0;
    await trials(`kill ${stage}`, 2, async (random) => {
      const { dir, remove } = temporaryFolder();
      try {
        copyWithout(whole.dir, dir, stages.slice(stages.indexOf(stage)));
        for (let i = 0; i < 3; i++) {
          const after = random() * seconds[stage]! * 1.1;
          if (await killed(dir, stage, after, pick(random, ["command", "command", "python", "both"])))
            kills++;
        }
        await until(() => processesOf(path.join(dir, ".leaf")).length === 0, 30);
        for (const one of stages.slice(stages.indexOf(stage))) {
          const { code, stderr } = await leaf(dir, one);
          expect([one, code], stderr).toEqual([one, 0]);
        }
        expect(labelsOf(dir)).toEqual(expected.labels);
        expect(await scoresOf(dir)).toEqual(expected.scores);
        expect(leftovers(dir)).toEqual([]);
      } finally {
        remove();
      }
    });
    console.log(`${stage}: ${kills} kills`);
    expect(kills).toBeGreaterThan(0);
  });
}
