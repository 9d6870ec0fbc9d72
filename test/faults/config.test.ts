import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { parseConfig, readConfig } from "../../src/engine/config/read.ts";
import { makeWorkspace } from "../integration/workspace.ts";
import { startServer } from "../server/startServer.ts";
import { mutatedText } from "./support/mutate.ts";
import { pick, temporaryFolder, trials, within } from "./support/trials.ts";

const configs = [
  `images: [photos, "scans/**/*.{png,tif}", "!photos/old"]
mos: { file: mos.csv, image: name, score: mos, std: sd, range: [1, 5], lowerIsBetter: false }
split: { test: 0.2, val: 0.1, groupBy: scene, seed: 3 }
teacher: { kind: openai, endpoint: "http://127.0.0.1:8000/v1", model: m, keyEnv: X_API_KEY, limit: { requests: 5 } }
label: { pairsPerImage: 8, minConfidence: auto, orders: both, pairs: mixed }
student: { model: atto, input: { resize: 384, crop: 224, views: 5 } }
distill: { epochs: 20, batch: 32, lr: { backbone: 0.001, head: 0.003 }, loss: { point: 1, pair: 1 } }
calibrate: { ratio: 0.1, selection: random, loss: { mse: 1, plcc: 1 } }
evaluate: { split: test, bootstrap: 1000 }
`,
  `images: photos
teacher:
  kind: openai
  serve:
    model: some/model
    args: ["--max-model-len", "4096"]
    env: { A: b }
  prompts: { domain: photo, words: [excellent, good, fair, poor, bad] }
python: { interpreter: null, threads: 2 }
`,
];

test("a damaged config is a config or problems with their place", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  await trials("configs", 3000, async (random, keep) => {
    const text = mutatedText(random, pick(random, configs));
    keep(text);
    const parsed = random() < 0.1 ? await within(10, readConfig(text, dir)) : parseConfig(text);
    if (parsed.ok) return;
    expect(parsed.problems.length).toBeGreaterThan(0);
    const lines = text.split(/\r\n|\n|\r/).length;
    for (const { message, line, column } of parsed.problems) {
      expect(message.length).toBeGreaterThan(0);
      expect(message).not.toContain("\n");
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines + 1);
      expect(column).toBeGreaterThanOrEqual(1);
    }
  });
});

test("the server lives through every config that someone types", { timeout: 3_600_000 }, async () => {
  const dir = temporaryFolder();
  await makeWorkspace(dir, 4);
  const file = path.join(dir, "leaf.yaml");
  const server = await startServer(dir, () => {});
  const uri = `file://${file}`;
  const ask = (method: string) =>
    within(
      30,
      server.connection.sendRequest(method, { textDocument: { uri }, position: { line: 0, character: 0 } }),
    );
  try {
    let version = 1;
    await server.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri, languageId: "yaml", version, text: "" },
    });
    await trials("typed configs", 60, async (random, keep) => {
      const text = mutatedText(random, pick(random, configs));
      keep(text);
      version++;
      await server.connection.sendNotification("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges: [{ text }],
      });
      if (random() < 0.2) {
        writeFileSync(file, text);
        await server.connection.sendNotification("textDocument/didSave", { textDocument: { uri } });
      }
      await ask("textDocument/hover");
      await ask("textDocument/codeLens");
    });
    expect(await within(30, server.connection.sendRequest("leaf/projects", {}))).toHaveLength(1);
  } finally {
    await server.stop();
  }
});
