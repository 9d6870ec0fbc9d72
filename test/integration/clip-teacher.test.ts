import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { pythonSource, resolveInterpreter, trainerEnvironment } from "../../src/engine/python/environment.ts";
import { normalCdf } from "../../src/engine/teachers/probit.ts";

// Loading PyTorch and transformers takes its time on a busy machine.
vi.setConfig({ testTimeout: 400_000, hookTimeout: 200_000 });

const run = promisify(execFile);
const interpreter = resolveInterpreter(undefined, ".");
const dir = mkdtempSync(path.join(tmpdir(), "leaf-clip-"));
const leaf = (...args: string[]) =>
  run(process.execPath, [path.resolve("bin/leaf.js"), ...args], { cwd: dir, env: trainerEnvironment() });

/** The tiny model's probabilities for the pairs of assets/prompts/clip.yaml, by its own logits. */
const reference = `
import json, sys
import numpy as np, torch, transformers as hf
from PIL import Image
folder, *files = sys.argv[1:]
texts = ["Good photo.", "Bad photo.", "High quality photo.", "Low quality photo.",
         "Photo without any visible flaw.", "Photo with many visible flaws."]
model = hf.AutoModel.from_pretrained(folder).eval()
tokens = hf.AutoTokenizer.from_pretrained(folder)
ids = tokens(texts, padding="max_length", truncation=True, max_length=24, return_tensors="pt").input_ids
out = []
for file in files:
    pixels = np.asarray(Image.open(file).convert("RGB"), np.float32) / 255
    pixels = torch.from_numpy(((pixels - 0.5) / 0.5).transpose(2, 0, 1)[None])
    with torch.inference_mode():
        logits = model(input_ids=ids, pixel_values=pixels, interpolate_pos_encoding=True).logits_per_image
    out.append(logits[0].reshape(-1, 2).softmax(-1)[:, 0].tolist())
print(json.dumps(out))
`;

beforeAll(async () => {
  const script = path.join(pythonSource(), "tests", "tiny_contrastive.py");
  await run(interpreter, [script, "siglip", path.join(dir, "tiny")], { env: trainerEnvironment() });
  mkdirSync(path.join(dir, "photos"));
  for (let i = 0; i < 4; i++)
    await sharp(path.resolve("demo/photos/coffee.jpg"))
      .extract({ left: 20 * i, top: 30, width: 160 + 40 * i, height: 160 })
      .blur(0.5 + 2 * i)
      .png()
      .toFile(path.join(dir, "photos", `p${i}.png`));
  writeFileSync(path.join(dir, "photos", "broken.png"), "\x89PNG\r\n\x1a\nnothing");
  writeFileSync(
    path.join(dir, "leaf.yaml"),
    "images: photos\nsplit: { test: 0, val: 0 }\nteacher: { kind: clip, model: ./tiny }\nlabel: { pairsPerImage: 4, reasons: true }\n",
  );
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

it("`leaf label` stores what the model's own logits say, pairs and reasons from the same look", async () => {
  const { stdout } = await leaf("label", "--json");
  const result = JSON.parse(stdout);
  expect(result.points).toMatchObject({ labelled: 4, reused: 0 });
  expect(result.reasons).toMatchObject({ labelled: 4 });
  const files = [0, 1, 2, 3].map((i) => path.join(dir, "photos", `p${i}.png`));
  const { stdout: told } = await run(interpreter, ["-c", reference, path.join(dir, "tiny"), ...files], {
    env: trainerEnvironment(),
  });
  const expected = (JSON.parse(told) as number[][]).map((first) => {
    const p = first.reduce((a, b) => a + b) / first.length;
    const variance = first.reduce((total, q) => total + (q - p) ** 2, 0) / (first.length - 1);
    return { mu: 1 + 4 * p, sigma: Math.sqrt(0.6 ** 2 + (16 * variance) / first.length) };
  });
  const store = openLabels(path.join(dir, ".leaf", "labels.sqlite"));
  try {
    const [teacher] = store.teachers();
    expect(teacher).toMatchObject({ kind: "clip", description: { model: "tiny", maxSide: 512, noise: 0.6 } });
    const rows = store.db
      .prepare("SELECT p.excellent, p.bad, p.mass FROM points p WHERE status = 'ok'")
      .all() as { excellent: number; bad: number; mass: number }[];
    const found = rows.map(({ excellent }) => excellent).sort((a, b) => a - b);
    const wanted = expected.map(({ mu, sigma }) => normalCdf((mu - 4.5) / sigma)).sort((a, b) => a - b);
    expect(found).toHaveLength(4);
    // Ratings keep a little for each answer.
    for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 3);
    const pairs = store.db.prepare("SELECT p FROM pairs WHERE status = 'ok'").all() as { p: number }[];
    const possible = expected.flatMap((a) =>
      expected.map((b) => normalCdf((a.mu - b.mu) / Math.hypot(a.sigma, b.sigma))),
    );
    expect(pairs.length).toBeGreaterThan(3);
    for (const { p } of pairs)
      expect(Math.min(...possible.map((other) => Math.abs(other - p)))).toBeLessThan(1e-3);
  } finally {
    store.close();
  }
  // Nothing is missing: no Python is started.
  const again = JSON.parse((await leaf("label", "--json")).stdout);
  expect(again.points).toMatchObject({ labelled: 0, reused: 4 });
  const { stdout: shown } = await leaf("label", "--dry-run", "2");
  expect(shown).toContain("clip teacher: tiny on");
  expect(shown).toContain("whole pictures of at most 512 px");
  expect(shown).toContain("Good photo. | Bad photo.");
});

it("says in one sentence what is wrong with a model", async () => {
  for (const [model, says] of [
    ["./none", "There is no model in the folder ./none."],
    ["./photos", "There is no model in the folder ./photos."],
  ]) {
    writeFileSync(
      path.join(dir, "wrong.leaf.yaml"),
      `images: photos\nteacher: { kind: clip, model: ${model} }\n`,
    );
    await expect(leaf("label", "-c", "wrong.leaf.yaml")).rejects.toMatchObject({
      stderr: expect.stringContaining(says!),
    });
  }
});
