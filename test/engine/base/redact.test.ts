import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  forgetSecrets,
  isSecretName,
  isWorthHiding,
  knowSecrets,
  redact,
  redactConfig,
  redactor,
} from "../../../src/engine/base/redact.ts";

afterEach(forgetSecrets);

describe("redact", () => {
  it("cuts out what looks like a secret, whoever wrote it", () => {
    const token = "a1B2".repeat(6);
    const table: [string, string][] = [
      [`Authorization: Bearer ${token}`, "Authorization: Bearer …"],
      [`{"x-api-key": "${token}"}`, `{"x-api-key": "…"}`],
      [`{\\"authorization\\":\\"${token}\\"}`, `{\\"authorization\\":\\"…\\"}`],
      [`http://user:${token}@host:1/v1`, "http://…@host:1/v1"],
      [`https://${token}@host/v1`, "https://…@host/v1"],
      [`https://host/v1?api_key=${token}&x=1`, "https://host/v1?api_key=…&x=1"],
      [`vllm serve m --api-key ${token} --port 1`, "vllm serve m --api-key … --port 1"],
      [`--token=${token}`, "--token=…"],
      [`["--api-key", "${token}"]`, `["--api-key", "…"]`],
      [`hf_${token}`, "hf_…"],
      [`sk-proj-${token}`, "sk-…"],
    ];
    for (const [written, told] of table) expect(redact(written)).toBe(told);
  });

  it("leaves alone what only resembles one", () => {
    for (const text of [
      "vllm serve m --tokenizer Qwen/Qwen3 --max-model-len 4096 --max-num-batched-tokens 8192",
      "Set the environment variable that `teacher.keyEnv` names.",
      "https://example.com/a@b?page=2#at",
      "scikit-learn, sk-learn and risk-free; 3 tokens per second; key: value",
      "photos/keyboard_001.png",
      "SSH_AUTH_SOCK=/tmp/agent",
    ])
      expect(redact(text)).toBe(text);
  });

  it("has none of the known secrets, plain or quoted, and says the same of its own words", () => {
    const secret = fc.string({ minLength: 4, maxLength: 60 }).filter(isWorthHiding);
    const quoted = fc.constantFrom(
      (one: string) => one,
      (one: string) => JSON.stringify(one),
      (one: string) => JSON.stringify(JSON.stringify({ a: one })).slice(1, -1),
      (one: string) => encodeURIComponent(one),
    );
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), quoted, (key, before, after, quote) => {
        fc.pre(!`${before}…${after}`.includes(key) && !/[\\"]/.test(key));
        forgetSecrets();
        knowSecrets([key]);
        const told = redact(`${before} ${quote(key)} ${after}`);
        expect(told).not.toContain(key);
        expect(redact(told)).toBe(told);
      }),
    );
  });

  it("keeps a JSON document one, with the same keys", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.string({ minLength: 8, maxLength: 20 }), (value, key) => {
        const text = JSON.stringify({ value, note: `Bearer ${key} http://u:${key}@h --api-key ${key}` });
        expect(() => JSON.parse(redactor([key])(text))).not.toThrow();
      }),
    );
  });

  it("takes time in proportion to a text, not to its square", () => {
    const long = ["a", "--", "?a", "http://", "Bearer ", "x-api-key:", "sk-", "eyJ"].map((one) =>
      one.repeat(200_000),
    );
    const begun = performance.now();
    for (const text of long) redact(text);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });
});

describe("redactConfig", () => {
  it("empties what is named as a secret, and nothing else", () => {
    const config = {
      teacher: {
        keyEnv: "OPENAI_API_KEY",
        serve: {
          args: [
            "--api-key",
            "swordfish",
            "--token=swordfish",
            "--tokenizer",
            "Qwen",
            "--api-key",
            "{env:A_KEY}",
          ],
          env: { HF_TOKEN: "swordfish", CUDA_VISIBLE_DEVICES: "0", VLLM_API_KEY: "{env:A_KEY}" },
        },
      },
      distill: { epochs: 20 },
    };
    expect(redactConfig(config)).toEqual({
      teacher: {
        keyEnv: "OPENAI_API_KEY",
        serve: {
          args: ["--api-key", "…", "--token=…", "--tokenizer", "Qwen", "--api-key", "{env:A_KEY}"],
          env: { HF_TOKEN: "…", CUDA_VISIBLE_DEVICES: "0", VLLM_API_KEY: "{env:A_KEY}" },
        },
      },
      distill: { epochs: 20 },
    });
  });

  it("knows names of secrets", () => {
    for (const name of [
      "OPENAI_API_KEY",
      "HF_TOKEN",
      "api-key",
      "apiKey",
      "DB_PASSWORD",
      "AWS_SECRET_ACCESS_KEY",
      "KEY",
    ])
      expect(isSecretName(name), name).toBe(true);
    for (const name of [
      "keyEnv",
      "tokenizer",
      "max-tokens",
      "TOKENIZERS_PARALLELISM",
      "KEY_FILE",
      "keyboard",
      "author",
    ])
      expect(isSecretName(name), name).toBe(false);
  });
});
