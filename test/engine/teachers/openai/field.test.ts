import { readdirSync, readFileSync, rmSync } from "node:fs";
import type { ServerResponse } from "node:http";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../../src/engine/base/random.ts";
import { type OpenaiTeacherConfig, teacherSchema } from "../../../../src/engine/config/teacher.ts";
import { createTeacher, teacherFingerprint } from "../../../../src/engine/teachers/createTeacher.ts";
import { posteriorMean } from "../../../../src/engine/teachers/openai/sampling.ts";
import { answerIn } from "../../../../src/engine/teachers/openai/thinking.ts";
import type { Teacher } from "../../../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../../../src/words/text.ts";
import {
  type Answering,
  type ChatRequest,
  type ChatServer,
  completion,
  goodAnswer,
  picturesIn,
} from "../../../support/chatServer.ts";
import { useChatServers } from "../../../support/chatServers.ts";
import { teacherImages } from "../../../support/teacherImages.ts";

const { folder, closing, serve: start } = useChatServers("leaf-field-");

/** Fields that these tests look at. */
type Request = ChatRequest & {
  chat_template_kwargs?: Record<string, unknown>;
  thinking?: { type: string };
  reasoning_effort?: string;
  temperature?: number;
  n?: number;
  seed?: number;
  options?: unknown;
  logprobs?: boolean;
};
type Answer = (request: Request, response: ServerResponse) => unknown;
const serve = (answer: Answer) => start(answer as Answering);

const configOf = (endpoint: string, more: Record<string, unknown> = {}) =>
  teacherSchema.parse({ kind: "openai", endpoint, model: "m", patience: 5, ...more }) as OpenaiTeacherConfig;

async function teacherAt(endpoint: string, more: Record<string, unknown> = {}): Promise<Teacher> {
  const teacher = await createTeacher(configOf(endpoint, more), { root: folder });
  return closing(teacher);
}
const lineOf = ({ about }: Teacher) => (about ? inEnglish(about) : "");
const fingerprintAt = (server: ChatServer, more = {}) =>
  teacherFingerprint(configOf(server.url, more), folder);

const refuse = (response: ServerResponse, message: string, status = 400) =>
  void response
    .writeHead(status, { "content-type": "application/json" })
    .end(JSON.stringify({ error: { message } }));

const think = () => completion({ Okay: 0.55, So: 0.2, The: 0.1, Got: 0.05, First: 0.03 });
/** Score by hand of `goodAnswer`. */
const score = (5 * 0.1 + 4 * 0.6 + 3 * 0.2 + 2 * 0.05 + 0.04) / 0.99;

async function scoreBy(teacher: Teacher): Promise<number> {
  const [image] = await teacherImages(1);
  const [judged] = await teacher.judgePoints([image!]);
  if (!judged!.ok) throw new Error(judged!.reason);
  return judged!.probabilities.reduce((sum, p, i) => sum + p * (5 - i), 0);
}

const wordsOf = ({ messages }: Request) =>
  messages
    .flatMap(({ content }) => (typeof content === "string" ? content : content.map(({ text }) => text ?? "")))
    .join(" ");

/** A whole answer, token by token. */
function written(tokens: string[], last: Record<string, number>, more: Record<string, unknown> = {}) {
  const listed = Object.entries(last).map(([token, p]) => ({ token, logprob: Math.log(p) }));
  const said = { token: "x", logprob: -0.01 };
  const content = tokens.map((token) => ({ ...said, token, top_logprobs: [{ ...said, token }] }));
  return {
    choices: [
      {
        finish_reason: "stop",
        message: { content: [...tokens, listed[0]!.token].join(""), ...more },
        logprobs: { content: [...content, { ...listed[0]!, top_logprobs: listed }] },
      },
    ],
    usage: { prompt_tokens: 100, completion_tokens: tokens.length + 1 },
  };
}

const wordList = { good: 0.6, fair: 0.2, excellent: 0.1, poor: 0.05, bad: 0.04 };

describe("a model that thinks first, whatever its thought begins with", () => {
  const isOff: [string, (request: Request) => boolean, string][] = [
    ["Qwen's template", (r) => r.chat_template_kwargs?.enable_thinking === false, '"enable_thinking":false'],
    [
      "DeepSeek's template",
      (r) => r.chat_template_kwargs?.thinking === false,
      '{"chat_template_kwargs":{"thinking":false}}',
    ],
    ["Ollama", (r) => r.reasoning_effort === "none", '{"reasoning_effort":"none"}'],
    ["an API with a least effort", (r) => r.reasoning_effort === "minimal", '{"reasoning_effort":"minimal"}'],
    ["an API with a field", (r) => r.thinking?.type === "disabled", '"disabled"'],
    ["a prefill", (r) => /<\/think>/.test(String(r.messages.at(-1)!.content)), "an empty thought"],
  ];
  it.each(isOff)("is turned off by %s, which the probe's line names", async (_, off, named) => {
    const server = await serve((request) => (off(request) ? goodAnswer(request) : think()));
    const teacher = await teacherAt(server.url);
    expect(lineOf(teacher)).toContain(named);
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
    // The same model without its thought, by whatever field: one teacher.
    expect(teacher.fingerprint).toBe(await teacherFingerprint(configOf("http://127.0.0.1:9/v1"), folder));
  });

  it("is turned off where fields that the server does not know are refused", async () => {
    const server = await serve((request, response) => {
      const odd = ["chat_template_kwargs", "enable_thinking", "thinking"].find((key) => key in request);
      if (odd) return refuse(response, `Unknown field ${odd}`);
      return request.reasoning_effort === "none" ? goodAnswer(request) : think();
    });
    expect(await scoreBy(await teacherAt(server.url))).toBeCloseTo(score, 9);
  });

  it("may need an instruction, which makes it another teacher", async () => {
    const server = await serve((request) =>
      wordsOf(request).includes("/no_think") ? goodAnswer(request) : think(),
    );
    const plain = await fingerprintAt(server);
    const teacher = await teacherAt(server.url);
    expect(lineOf(teacher)).toContain("told not to think");
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
    expect(teacher.fingerprint).not.toBe(plain);
    expect(await fingerprintAt(server)).toBe(teacher.fingerprint);
  });

  const thoughts: [string, () => unknown][] = [
    ["a tag ends it", () => written(["<think>", "Good", " light", "</think>", "\n\n"], wordList)],
    ["the tag is in pieces", () => written(["Bad", " light", "</", "think", ">", "\n"], wordList)],
    [
      "Harmony's channel",
      () => written(["<|channel|>", "analysis", "bad", "<|channel|>final<|message|>"], wordList),
    ],
    [
      "it is in a field of its own",
      () => written(["Bad", " light", ""], wordList, { content: "good", reasoning_content: "Bad light" }),
    ],
    ["a line's end comes first", () => written(["\n"], wordList)],
  ];
  it.each(thoughts)("is let think, and read behind the thought: %s", async (_, thought) => {
    const server = await serve((request) => {
      if (picturesIn(request).length === 2) return written(["hm", "</think>"], { A: 0.7, B: 0.2 });
      return (request.max_tokens ?? 0) > 1000 ? thought() : think();
    });
    const plain = await fingerprintAt(server);
    const teacher = await teacherAt(server.url);
    expect(lineOf(teacher)).toContain("thinks first, in at most 2048 tokens");
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
    expect(teacher.fingerprint).not.toBe(plain);
    expect(server.requests.at(-1)!.max_tokens).toBe(2049);
  });

  it("that comes to no answer is told as what it is", async () => {
    const server = await serve(think);
    const teacher = await teacherAt(server.url);
    expect(lineOf(teacher)).toContain("only 0.00 of its answer to a trial question is on the rating words");
    const [image] = await teacherImages(1);
    expect(await teacher.judgePoints([image!])).toEqual([
      { ok: false, reason: 'only 0.00 of the answer is on the rating words; it begins with "Okay"' },
    ]);
  });
});

describe("what was found out", () => {
  it("is kept: the next run asks one small question", async () => {
    const server = await serve((request) =>
      request.reasoning_effort === "none" ? goodAnswer(request) : think(),
    );
    const line = lineOf(await teacherAt(server.url));
    const before = server.requests.length;
    expect(lineOf(await teacherAt(server.url))).toBe(line);
    expect(server.requests.length - before).toBe(1);
    expect(before).toBeGreaterThan(5);
    // Other fields may bring another finding.
    await teacherAt(server.url, { request: { seed: 1 } });
    expect(server.requests.length - before).toBeGreaterThan(5);
  });

  it("is found anew where the server refuses what it took, or the document is damaged", async () => {
    let most = 500;
    const server = await serve((request, response) =>
      (request.top_logprobs ?? 0) > most ? refuse(response, "too many") : goodAnswer(request),
    );
    expect(lineOf(await teacherAt(server.url))).toContain("the 500 likeliest tokens");
    most = 20;
    expect(lineOf(await teacherAt(server.url))).toContain("the 20 likeliest tokens");
    const teachers = path.join(folder, ".leaf", "teachers");
    for (const name of readdirSync(teachers)) {
      expect(JSON.parse(readFileSync(path.join(teachers, name), "utf8")).v).toBe(1);
      rmSync(path.join(teachers, name));
    }
    expect(lineOf(await teacherAt(server.url))).toContain("the 20 likeliest tokens");
  });

  it("must be the same of all endpoints of a teacher", async () => {
    const plain = await serve(goodAnswer);
    const told = await serve((request) =>
      wordsOf(request).includes("/no_think") ? goodAnswer(request) : think(),
    );
    const config = configOf("", { endpoint: [plain.url, told.url] });
    const made = createTeacher(config, { root: folder });
    const failed = await made
      .then(async (teacher) => {
        closing(teacher);
        const images = await teacherImages(30);
        await teacher.judgePoints(images);
        await teacher.judgePoints(images);
      })
      .catch((error) => error);
    expect(failed).toMatchObject({ message: expect.stringContaining("cannot be one teacher") });
  });
});

describe("teacher.request", () => {
  it("is sent as it is, before LEAF's own fields, and is part of who the teacher is", async () => {
    const request = {
      provider: { order: ["a"], allow_fallbacks: false },
      seed: 7,
      temperature: 0.5,
      chat_template_kwargs: { style: "x" },
    };
    const server = await serve((asked) =>
      asked.chat_template_kwargs?.enable_thinking === false ? goodAnswer(asked) : think(),
    );
    const teacher = await teacherAt(server.url, { request });
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
    for (const sent of server.requests)
      expect(sent).toMatchObject({ provider: request.provider, seed: 7, temperature: 0.5 });
    expect((server.requests.at(-1) as Request).chat_template_kwargs).toEqual({
      enable_thinking: false,
      style: "x",
    });
    expect(teacher.fingerprint).not.toBe(await fingerprintAt(server));
    expect(teacher.description.request).toEqual(request);
  });

  it("shows no key, and another key is no other teacher", async () => {
    const server = await serve(goodAnswer);
    const of = (key: string) => teacherAt(server.url, { request: { options: { api_key: key } } });
    const [one, other] = [await of("abcdefgh-1"), await of("abcdefgh-2")];
    expect(JSON.stringify(one.description)).not.toContain("abcdefgh");
    expect(one.fingerprint).toBe(other.fingerprint);
    expect((server.requests.at(-1) as Request).options).toEqual({ api_key: "abcdefgh-2" });
    for (const request of [{ model: "n" }, { x: "sk-abcdefghijklmnop1234" }])
      expect(() => configOf(server.url, { request })).toThrow(/field that LEAF sets|must not hold a key/);
  });
});

interface Listing {
  choices: { logprobs: { content: { top_logprobs: unknown[] }[] } }[];
}

describe("odd lists", () => {
  it("of a server that breaks over a long one are shorter", async () => {
    const server = await serve((request, response) =>
      (request.top_logprobs ?? 0) > 20 ? refuse(response, "Internal Server Error", 500) : goodAnswer(request),
    );
    const teacher = await teacherAt(server.url);
    expect(lineOf(teacher)).toContain("the 20 likeliest tokens");
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
  });

  it("that take too long are shorter", async () => {
    const server = await serve((request) =>
      (request.top_logprobs ?? 0) > 20 ? new Promise(() => {}) : goodAnswer(request),
    );
    expect(lineOf(await teacherAt(server.url, { timeout: 0.3 }))).toContain("the 20 likeliest tokens");
  });

  it("that break a server over one image alone are asked shorter for it", async () => {
    let probing = true;
    const server = await serve((request, response) =>
      !probing && (request.top_logprobs ?? 0) > 20
        ? refuse(response, "Out of range float values are not JSON compliant", 500)
        : goodAnswer(request),
    );
    const teacher = await teacherAt(server.url);
    probing = false;
    const before = server.requests.length;
    expect(await scoreBy(teacher)).toBeCloseTo(score, 9);
    expect(server.requests.slice(before).map((request) => request.top_logprobs)).toEqual([500, 20]);
  });

  it("with null, infinite and absent probabilities, also as Python writes them, lose those alone", async () => {
    const server = await serve((request, response) => {
      const answer = goodAnswer(request) as unknown as Listing;
      const top = answer.choices[0]!.logprobs.content[0]!.top_logprobs;
      top.splice(
        1,
        0,
        { token: "a", logprob: null },
        { token: "NaN" },
        { token: "b", logprob: "NAN" },
        { token: "c", logprob: -9999 },
      );
      const text = JSON.stringify(answer).replace('"NAN"', "NaN").replace("null", "-Infinity");
      response.setHeader("content-type", "application/json").end(text);
    });
    expect(await scoreBy(await teacherAt(server.url))).toBeCloseTo(score, 9);
  });

  it("need a token limit or a temperature that the server takes", async () => {
    const server = await serve((request, response) => {
      if ((request.max_tokens ?? 0) < 16)
        return refuse(
          response,
          "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 1 instead.",
        );
      if (request.temperature === 0)
        return refuse(response, "Unsupported value: 'temperature' does not support 0 with this model.");
      return goodAnswer(request);
    });
    expect(await scoreBy(await teacherAt(server.url))).toBeCloseTo(score, 9);
  });
});

describe("a server without log-probabilities", () => {
  const shares = { Excellent: 0.1, "good.": 0.5, "**fair**": 0.25, poor: 0.1, Bad: 0.05 };
  const letters = { A: 0.8, B: 0.2 };
  const random = seededRandom(3);
  const draw = (from: Record<string, number>) => {
    let left = random();
    for (const [text, p] of Object.entries(from)) {
      left -= p;
      if (left <= 0) return text;
    }
    return "";
  };
  const spoken = (texts: string[]) => ({
    choices: texts.map((content, index) => ({
      index,
      message: { role: "assistant", content },
      logprobs: null,
    })),
    usage: { prompt_tokens: 100, completion_tokens: texts.length },
  });
  /** Draws at temperature 1, gives the likeliest at 0; `most` choices a request. */
  const server = (most: number) =>
    serve((request, response) => {
      if ((request.n ?? 1) > most) return refuse(response, "n must be 1");
      const from = picturesIn(request).length === 2 ? letters : shares;
      const one = () =>
        request.temperature === 1 ? draw(from) : picturesIn(request).length === 2 ? "A" : "good.";
      return spoken(Array.from({ length: request.n ?? 1 }, one));
    });

  it.each([1, 128])("is asked several times; with %d answers a request", async (most) => {
    const chat = await server(most);
    const samples = 400;
    const teacher = await teacherAt(chat.url, { samples, concurrency: 16 });
    expect(lineOf(teacher)).toContain(`no log-probabilities: estimated from ${samples} answers each`);
    const before = chat.requests.length;
    const [a, b] = await teacherImages(2);
    const [point] = await teacher.judgePoints([a!]);
    expect(chat.requests.length - before).toBe(most === 1 ? samples : samples / 8);
    if (!point!.ok) throw new Error(point!.reason);
    // Four standard errors of a share of .5 in 400 draws.
    for (const [i, p] of Object.values(shares).entries())
      expect(Math.abs(point!.probabilities[i]! - p)).toBeLessThan(0.1);
    expect(point!.mass).toBe(1);
    expect(point!.samples!.n).toBe(samples);
    expect(point!.samples!.counts.reduce((sum, count) => sum + count, 0)).toBe(samples);
    const [pair] = await teacher.judgePairs([[a!, b!]]);
    // Always the first: 0.8 in one order is 0.2 in the other.
    expect(pair).toMatchObject({ ok: true, samples: { ab: { n: samples }, ba: { n: samples } } });
    if (pair!.ok)
      expect([Math.abs(pair!.pAB - 0.8) < 0.1, Math.abs(pair!.pBA! - 0.2) < 0.1]).toEqual([true, true]);
  });

  it("is another teacher, by how many answers too; it may be chosen, or refused", async () => {
    const chat = await server(128);
    const plain = await fingerprintAt(chat);
    const teacher = await teacherAt(chat.url);
    expect(
      new Set([plain, teacher.fingerprint, (await teacherAt(chat.url, { samples: 4 })).fingerprint]).size,
    ).toBe(3);
    const chosen = { probabilities: "sampling" };
    expect(await teacherFingerprint(configOf("http://127.0.0.1:9/v1", chosen), folder)).toBe(
      teacher.fingerprint,
    );
    const listing = await serve(goodAnswer);
    const asked = await teacherAt(listing.url, { ...chosen, samples: 4 });
    const [image] = await teacherImages(1);
    expect(await asked.judgePoints([image!])).toMatchObject([
      { ok: true, samples: { n: 4, counts: [0, 4, 0, 0, 0] } },
    ]);
    expect(listing.requests.every((request) => !("logprobs" in request))).toBe(true);
    await expect(teacherAt(chat.url, { probabilities: "logprobs" })).rejects.toThrow(
      "gives no log-probabilities",
    );
  });

  it("says what it costs before it begins", async () => {
    const [image] = await teacherImages(1);
    const work = { points: 10, pairs: 5, orders: "both", reasons: 0 } as const;
    const single = await teacherAt((await server(1)).url, { samples: 8 });
    expect(await single.estimate!(work, image!)).toMatchObject({
      requests: 8 * 20,
      inputTokens: 100 * 8 * 20,
      outputTokens: 8 * 20,
    });
    const several = await teacherAt((await server(128)).url, { samples: 8 });
    expect(await several.estimate!(work, image!)).toMatchObject({
      requests: 20,
      inputTokens: 100 * 20,
      outputTokens: 8 * 20,
    });
    expect([single.dear, several.dear]).toEqual([true, true]);
  });

  it("labels nothing where the answers are other words", async () => {
    const chat = await serve(() => spoken(["This photo is nice"]));
    const teacher = await teacherAt(chat.url, { samples: 4 });
    const [image] = await teacherImages(1);
    expect(await teacher.judgePoints([image!])).toEqual([
      { ok: false, reason: 'only 0.00 of 4 answers are among the rating words; one is "This photo is nice"' },
    ]);
  });

  it("may think: its thought is turned off, or passed over", async () => {
    const off = await serve((request) => spoken([request.reasoning_effort === "none" ? "good" : ""]));
    const [image] = await teacherImages(1);
    expect(await (await teacherAt(off.url, { samples: 2 })).judgePoints([image!])).toMatchObject([
      { ok: true },
    ]);
    const on = await serve((request) =>
      spoken([(request.max_tokens ?? 0) > 1000 ? "<think>bad?</think>\nGood" : "<think>bad?"]),
    );
    expect(await (await teacherAt(on.url, { samples: 2 })).judgePoints([image!])).toMatchObject([
      { ok: true, samples: { n: 2, counts: [0, 2, 0, 0, 0] } },
    ]);
  });
});

describe("the estimate from several answers", () => {
  it("is the mean of the posterior: shares with one pseudo-count, so that few answers leave it open", () => {
    expect(posteriorMean([4, 0, 0, 0, 0])).toEqual([4.2 / 5, 0.04, 0.04, 0.04, 0.04]);
    expect(posteriorMean([0, 0])).toEqual([0.5, 0.5]);
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 2, maxLength: 5 }), (counts) => {
        const p = posteriorMean(counts);
        expect(p.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
        // The same shares from more answers are surer.
        const [few, many] = [p, posteriorMean(counts.map((count) => 4 * count))].map((q) =>
          q.reduce((h, x) => h - x * Math.log(x), 0),
        );
        expect(many!).toBeLessThanOrEqual(few! + 1e-9);
      }),
    );
  });

  it("finds the answer in what is said, as a word of its own", () => {
    const words = ["excellent", "good", "fair", "poor", "bad"];
    const found = [
      "Good",
      " **Fair**",
      "“poor”.",
      "goods",
      "not good",
      "",
      "<think>good</think>Bad",
      "<|im_start|>bad!",
      "Excellent photo",
    ];
    expect(found.map((text) => answerIn(text, words))).toEqual([1, 2, 3, -1, -1, -1, 4, 4, 0]);
    fc.assert(fc.property(fc.string(), (text) => answerIn(text, words) >= -1 && answerIn(text, words) < 5));
  });
});
