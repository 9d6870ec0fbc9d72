import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openServerLog, secretsOf } from "../../../../src/engine/teachers/serve/log.ts";
import { noteOf } from "../../../../src/engine/teachers/serve/note.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), "leaf-log-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Writes bytes in pieces of the given sizes. */
function written(bytes: Buffer, sizes: number[], secrets: string[] = []) {
  const file = path.join(dir, "server.log");
  const lines: string[] = [];
  const log = openServerLog(file, { secrets, onLine: (line) => lines.push(line) });
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    log.write(bytes.subarray(at, at + size));
    at += size;
  }
  log.close();
  return { text: readFileSync(file, "utf8"), lines };
}

test("however its bytes are cut, a log has the same lines", () => {
  const line = fc
    .string({ unit: "grapheme", maxLength: 30 })
    .map((text) => text.replace(/[\r\n]/g, " ").trimEnd());
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 20 }),
      fc.constantFrom("\n", "\r", "\r\n"),
      sizes,
      (said, end, cuts) => {
        const { text, lines } = written(Buffer.from(said.join(end)), cuts);
        const expected = said.filter((one) => one !== "");
        expect(lines).toEqual(expected);
        expect(text).toBe(expected.map((one) => `${one}\n`).join(""));
      },
    ),
  );
});

test("however its bytes are cut, a log has no secret", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  const secret = fc.stringMatching(/^[A-Za-z0-9+/=_-]{8,40}$/);
  fc.assert(
    fc.property(secret, fc.string(), fc.string(), sizes, (key, before, after, cuts) => {
      fc.pre(!`${before}…${after}`.includes(key));
      const { text, lines } = written(Buffer.from(`${before}${key}${after}\n`), cuts, [key]);
      expect(text + lines.join("\n")).not.toContain(key);
    }),
  );
});

test("secrets are told by the names of variables and options", () => {
  const env = {
    OPENAI_API_KEY: "key-of-environment",
    HF_TOKEN: "token-of-hub",
    HOME: "/home/me",
    KEY_COUNT: "1234",
  };
  const command = [
    "vllm",
    "serve",
    "--api-key",
    "first-key",
    "--ssl-keyfile=second-key",
    "--port",
    "8000",
    "--api-key",
  ];
  expect(secretsOf(env, command).sort()).toEqual([
    "first-key",
    "key-of-environment",
    "second-key",
    "token-of-hub",
  ]);
  // Known by their form, wherever they came from.
  const token = `hf_${"a1B2".repeat(8)}`;
  expect(written(Buffer.from(`Authorization: Bearer ${token}\n`), [100]).text).toBe(
    "Authorization: Bearer hf_…\n",
  );
});

test("a log that grows is bounded, and keeps its end", () => {
  const file = path.join(dir, "long.log");
  const log = openServerLog(file, { secrets: [], maxBytes: 10_000 });
  for (let i = 0; i < 5_000; i++) log.write(Buffer.from(`line ${i}\n`));
  expect(log.lines()).toHaveLength(1_000);
  expect(log.lines().at(-1)).toBe("line 4999");
  log.close();
  const [older, newer] = [`${file}.1`, file];
  for (const one of [older, newer]) expect(statSync(one).size).toBeLessThanOrEqual(10_000);
  const kept = (readFileSync(older, "utf8") + readFileSync(newer, "utf8")).trimEnd().split("\n");
  expect(kept.at(-1)).toBe("line 4999");
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => `line ${5_000 - kept.length + i}`));
  // The log of the server before is kept as well.
  openServerLog(file, { secrets: [] }).close();
  expect(readFileSync(older, "utf8")).toContain("line 4999");
});

test("a line without end is cut, not collected", () => {
  const file = path.join(dir, "endless.log");
  const log = openServerLog(file, { secrets: [] });
  for (let i = 0; i < 100; i++) log.write(Buffer.from("x".repeat(1_000)));
  expect(Math.max(...log.lines().map((line) => line.length))).toBeLessThanOrEqual(4_000);
  log.close();
});

// Lines of a real start of vLLM 0.32 and of llama.cpp; those of downloads and CUDA graphs are tqdm's.
test.each([
  [
    "Loading safetensors checkpoint shards:  60% Completed | 3/5 [00:12<00:08,  4.11s/it]",
    "loading weights 3/5",
  ],
  [
    "(Worker pid=7520) INFO 11-24 13:20:29 [cpu_model_runner.py:68] Starting to load model x/y...",
    "loading the model",
  ],
  [
    "(EngineCore pid=7173) INFO 11-24 13:21:36 [kv_cache_utils.py:2327] CPU KV cache size: 4,194,304 tokens, Maximum",
    "room for 4,194,304 tokens",
  ],
  [
    "model-00002-of-00004.safetensors:  45%|████▌     | 2.23G/4.95G [00:31<00:38, 71.1MB/s]",
    "downloading model-00002-of-00004.safetensors 45 %",
  ],
  ["Fetching 12 files:  25%|██▌       | 3/12 [00:01<00:03,  2.5it/s]", "downloading files 3/12"],
  [
    "Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  52%|█████▏    | 35/67 [00:02<00:01, 17it/s]",
    "capturing CUDA graphs 52 %",
  ],
  ["0.00.003.631 I srv    load_model: loading model 'a/b.gguf'", "loading the model"],
  ["0.00.027.778 I srv          init: listening on http://127.0.0.1:45267", "started"],
  [
    "(APIServer pid=6122) INFO 11-24 13:19:18 [api_utils.py:286] non-default args: {'port': 34315}",
    undefined,
  ],
])("%s", (line, note) => {
  expect(noteOf(line)).toBe(note);
});
