import { createServer } from "node:http";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { hashBytes } from "../../../../src/engine/base/files.ts";
import { type OpenaiTeacherConfig, teacherSchema } from "../../../../src/engine/config/teacher.ts";
import { createTeacher, teacherFingerprint } from "../../../../src/engine/teachers/createTeacher.ts";
import type { Teacher } from "../../../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../../../src/words/text.ts";
import {
  type Answering,
  type ChatRequest,
  completion,
  goodAnswer,
  picturesIn,
} from "../../../support/chatServer.ts";
import { useChatServers } from "../../../support/chatServers.ts";
import { teacherImages } from "../../../support/teacherImages.ts";

const { folder, closing, serve } = useChatServers("leaf-teacher-");

const configOf = (endpoint: string, more: Record<string, unknown> = {}) =>
  teacherSchema.parse({ kind: "openai", endpoint, model: "m", patience: 5, ...more }) as OpenaiTeacherConfig;

const aboutOf = ({ about }: Teacher) => about && inEnglish(about);
const notes: string[] = [];
async function teacherAt(endpoint: string, more: Record<string, unknown> = {}): Promise<Teacher> {
  notes.length = 0;
  const teacher = await createTeacher(configOf(endpoint, more), {
    root: folder,
    onNote: (note) => notes.push(inEnglish(note)),
  });
  return closing(teacher);
}

function refuse(...[response, message]: [Parameters<Answering>[1], string]): undefined {
  response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: { message } }));
}

describe("what a server can do", () => {
  it("is found by asking: a list of 20, another name of the token limit, no prefill", async () => {
    const server = await serve((request, response) => {
      if (request.max_tokens !== undefined)
        return refuse(response, "Unsupported parameter: use 'max_completion_tokens' instead.");
      if ((request.top_logprobs ?? 0) > 20) return refuse(response, "top_logprobs must be at most 20");
      const marks = 5 * request.messages.length;
      return { ...goodAnswer(request), usage: { prompt_tokens: textOf(request).split(" ").length + marks } };
    });
    const teacher = await teacherAt(server.url, { prompts: { prefill: "It is" } });
    expect(aboutOf(teacher)).toBe(
      `server at ${server.url}: probabilities of the 20 likeliest tokens, no prefill, two images in a question`,
    );
    expect(notes).toEqual([
      `${aboutOf(teacher)}.`,
      `${server.url} cannot go on with a begun answer: \`prompts.prefill\` is left out there.`,
    ]);
    const [image] = await teacherImages(1);
    expect(await teacher.judgePoints([image!])).toMatchObject([{ ok: true, mass: expect.closeTo(0.99, 9) }]);
    expect(server.requests.at(-1)!.messages).toHaveLength(1);
    expect(server.requests.at(-1)!.top_logprobs).toBe(20);
  });

  it("is told by the prompt's length where a begun answer is gone on with", async () => {
    for (const wantsFields of [true, false]) {
      const server = await serve((request) => {
        const goesOn = wantsFields ? request.continue_final_message === true : true;
        const turns = goesOn ? 1 : request.messages.length;
        return {
          ...goodAnswer(request),
          usage: { prompt_tokens: textOf(request).split(" ").length + 5 * turns },
        };
      });
      const teacher = await teacherAt(server.url, { prompts: { prefill: "It is" } });
      expect(aboutOf(teacher)).toContain(", prefill,");
      const [image] = await teacherImages(1);
      await teacher.judgePoints([image!]);
      expect(server.requests.at(-1)!.messages.at(-1)).toEqual({ role: "assistant", content: "It is" });
    }
  });

  it("is enough, or the server is refused with the reason", async () => {
    const cases: [Answering, RegExp][] = [
      [
        () => ({ choices: [{ message: { content: "good" }, logprobs: null }] }),
        /gives no log-probabilities of candidates\.$/,
      ],
      [
        (_request, response) => refuse(response, "logprobs are not supported"),
        /does not answer a question with log-probabilities: .*logprobs are not supported/,
      ],
      [
        (request, response) =>
          picturesIn(request).length > 0
            ? refuse(response, "m is not a multimodal model")
            : goodAnswer(request),
        /answers text, but not a question with an image: .*m is not a multimodal model/,
      ],
    ];
    for (const [answer, message] of cases) {
      const server = await serve(answer);
      await expect(teacherAt(server.url, { probabilities: "logprobs" })).rejects.toMatchObject({
        code: "environment",
        message: expect.stringMatching(message),
        remedy: expect.any(String),
      });
    }
  });

  it("may be one image a request: then a pair is shown side by side in one, in both orders", async () => {
    const server = await serve((request, response) => {
      if (picturesIn(request).length > 1) return refuse(response, "At most 1 image(s) may be provided");
      return textOf(request).includes("side by side") ? completion({ A: 0.6, B: 0.3 }) : goodAnswer(request);
    });
    const teacher = await teacherAt(server.url);
    expect(aboutOf(teacher)).toContain("one image a request");
    const [a, b] = await teacherImages(2);
    expect(await teacher.judgePoints([a!])).toMatchObject([{ ok: true }]);
    expect(await teacher.judgePairs([[a!, b!]])).toEqual([
      { ok: true, pAB: expect.closeTo(2 / 3, 9), pBA: expect.closeTo(1 / 3, 9) },
    ]);
    // What the server sees: one picture a question, the first image on the left as it is, the other on the right.
    const shown = server.requests.slice(-2).map((request) => picturesIn(request));
    expect(shown.map((pictures) => pictures.length)).toEqual([1, 1]);
    const [pixelsA, pixelsB] = await Promise.all([a!, b!].map(async (image) => pixelsOf(await image.read())));
    const sides = await Promise.all(shown.map(([url]) => sidesOf(url!, 64)));
    expect(sides).toContainEqual([pixelsA, pixelsB]);
    expect(sides).toContainEqual([pixelsB, pixelsA]);
    const { description } = teacher;
    expect(description.pairs).toMatchObject([{ type: "image", image: 0 }, {}, {}]);
  });

  it("includes thinking, which is turned off", async () => {
    const server = await serve((request) => {
      const thinks = (request as { chat_template_kwargs?: { enable_thinking: boolean } })
        .chat_template_kwargs;
      return thinks?.enable_thinking === false ? goodAnswer(request) : completion({ "<think>": 0.99 });
    });
    const [image] = await teacherImages(1);
    expect(await (await teacherAt(server.url)).judgePoints([image!])).toMatchObject([{ ok: true }]);
  });

  it("uses probabilities of chosen tokens where the server gives them by id, as vLLM does", async () => {
    // A vocabulary of single characters and some words, tokenised as vLLM's /tokenize answers.
    const vocabulary = ["excellent", " good", "good", "Good", "fair", "poor", "bad", "A", "B", " A", " B"];
    const tokenize = (text: string) => {
      const word = vocabulary.indexOf(text);
      return word >= 0 ? [word] : [...text].map((character) => 1000 + character.charCodeAt(0));
    };
    const textOfId = (id: number) => vocabulary[id] ?? String.fromCharCode(id - 1000);
    const p: Record<string, number> = {
      The: 0.3,
      excellent: 1e-7,
      Good: 0.2,
      good: 0.1,
      fair: 0.2,
      poor: 1e-4,
      bad: 1e-5,
    };
    const chat = await serve();
    const server = createServer(async (incoming, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const request = JSON.parse(Buffer.concat(chunks).toString() || "{}");
      if (incoming.url === "/v1/models") return void response.end('{"data":[{"owned_by":"vllm"}]}');
      if (incoming.url === "/tokenize")
        return void response.end(JSON.stringify({ tokens: tokenize(request.prompt) }));
      const chosen = (request.logprob_token_ids as number[] | undefined)?.map(textOfId) ?? [];
      const listed = request.logprob_token_ids ? ["The", ...chosen] : Object.keys(p).slice(0, 5);
      response.end(
        JSON.stringify(completion(Object.fromEntries(listed.map((token) => [token, p[token] ?? 1e-9])))),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing({ close: async () => void server.close().closeAllConnections() });
    const { port } = server.address() as { port: number };
    const teacher = await teacherAt(`http://127.0.0.1:${port}/v1`);
    expect(aboutOf(teacher)).toMatch(/^vLLM at .*: exact probabilities of chosen tokens/);
    const [image] = await teacherImages(1);
    const [judged] = await teacher.judgePoints([image!]);
    const raw = [1e-7, 0.3, 0.2, 1e-4, 1e-5];
    const mass = raw.reduce((sum, one) => sum + one, 0);
    expect(judged).toMatchObject({ ok: true, mass: expect.closeTo(mass, 6) });
    if (judged!.ok)
      for (const [i, one] of judged!.probabilities.entries()) expect(one).toBeCloseTo(raw[i]! / mass, 7);
    expect(chat.requests).toEqual([]);
  });
});

describe("judgements", () => {
  it("of pairs give half a tie to each image, in both orders or one", async () => {
    const server = await serve((request) =>
      picturesIn(request).length === 2 ? completion({ A: 0.5, B: 0.1, T: 0.3 }) : goodAnswer(request),
    );
    const teacher = await teacherAt(server.url, { prompts: { tie: "T" } });
    const [a, b] = await teacherImages(2);
    const p = (0.5 + 0.15) / 0.9;
    expect(await teacher.judgePairs([[a!, b!]])).toEqual([
      { ok: true, pAB: expect.closeTo(p, 9), pBA: expect.closeTo(1 - p, 9) },
    ]);
    const before = server.requests.length;
    expect(await teacher.judgePairs([[a!, b!]], undefined, "one")).toEqual([
      { ok: true, pAB: expect.closeTo(p, 9), pBA: null },
    ]);
    expect(server.requests.length - before).toBe(1);
    // The first image is asked about first, under the first letter.
    const shown = picturesIn(server.requests.at(-1)!);
    expect(shown[0]).toContain((await a!.read()).toString("base64"));
    expect(shown[1]).toContain((await b!.read()).toString("base64"));
  });

  it("are none where the answers have under half of the probability, or a short list hides too much", async () => {
    let answer = completion({ The: 0.6, good: 0.3 });
    let probing = true;
    const server = await serve((request) => (probing ? goodAnswer(request) : answer));
    const teacher = await teacherAt(server.url);
    probing = false;
    const [a, b] = await teacherImages(2);
    expect(await teacher.judgePoints([a!])).toEqual([
      { ok: false, reason: 'only 0.30 of the answer is on the rating words; it begins with "The"' },
    ]);
    expect(await teacher.judgePairs([[a!, b!]])).toEqual([
      { ok: false, reason: 'only 0.00 of the answer is on the letters; it begins with "The"' },
    ]);
    answer = completion({ good: 0.4, fair: 0.2 });
    expect(await teacher.judgePoints([a!])).toEqual([
      { ok: false, reason: "the server lists too few tokens to tell the rating words apart" },
    ]);
  });

  it("fail alone for an image that cannot be read", async () => {
    const teacher = await teacherAt((await serve()).url);
    const [image] = await teacherImages(1);
    const bytes = Buffer.from("\xff\xd8\xff\xe0", "latin1");
    const cut = { hash: hashBytes(bytes), name: "cut.jpg", read: async () => bytes };
    const gone = {
      hash: "g",
      name: "gone.jpg",
      read: async () => Promise.reject(Object.assign(new Error("ENOENT"), { code: "ENOENT" })),
    };
    expect(await teacher.judgePoints([cut, image!, gone])).toMatchObject([
      { ok: false, reason: expect.stringMatching(/^cut\.jpg: the JPEG data is truncated/) },
      { ok: true },
      { ok: false, reason: "gone.jpg: Cannot read gone.jpg: it does not exist." },
    ]);
    expect(await teacher.judgePairs([[image!, gone]])).toMatchObject([{ ok: false }]);
  });

  it("can be looked into", async () => {
    const teacher = await teacherAt((await serve()).url);
    const images = await teacherImages(2);
    const point = await teacher.inspect!([images[0]!]);
    expect(point.top[0]).toEqual({ token: "good", probability: expect.closeTo(0.6, 9) });
    expect(point.answers.map(({ answer, tokens }) => [answer, tokens])).toEqual(
      ["excellent", "good", "fair", "poor", "bad"].map((word) => [word, [word]]),
    );
    expect(point.parts[0]).toEqual({ type: "image", image: 0 });
    const pair = await teacher.inspect!([images[0]!, images[1]!]);
    expect(pair).toMatchObject({ mass: expect.closeTo(0.9, 9), rendered: null, prefill: null });
    expect(pair.answers).toEqual([
      { answer: "A", tokens: ["A"], probability: expect.closeTo(0.7, 9) },
      { answer: "B", tokens: ["B"], probability: expect.closeTo(0.2, 9) },
    ]);
  });

  it("read images only when they are asked about", async () => {
    const server = await serve(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return goodAnswer(request);
    });
    const teacher = await teacherAt(server.url, { concurrency: 2 });
    let [reading, most] = [0, 0];
    const images = (await teacherImages(40)).map((image) => ({
      ...image,
      async read() {
        most = Math.max(most, ++reading);
        const bytes = await image.read();
        reading--;
        return bytes;
      },
    }));
    await teacher.judgePoints(images);
    expect(most).toBeLessThanOrEqual(2);
    expect(server.mostUnderWay).toBeLessThanOrEqual(2);
  });
});

describe("limits", () => {
  it("stop before the request that would pass them, and say what was spent", async () => {
    const price = { input: 10, output: 30, currency: "EUR" };
    // 100 tokens in and one out: 0.00103 EUR a request.
    for (const [limit, most, words] of [
      [{ requests: 40 }, 40, "40 requests"],
      [{ tokens: 3000 }, 29, "3000 tokens"],
      [{ cost: 0.02 }, 19, "0.02 EUR"],
    ] as const) {
      const server = await serve();
      const teacher = await teacherAt(server.url, { limit, price, concurrency: 4 });
      const images = await teacherImages(60);
      const judged = await Promise.allSettled(images.map((image) => teacher.judgePoints([image])));
      const labelled = judged.filter(({ status }) => status === "fulfilled").length;
      const failure = judged.find((one) => one.status === "rejected")!.reason;
      const { requests, inputTokens, outputTokens, cost } = teacher.spent!();
      expect(requests).toBe(server.requests.length);
      expect(requests).toBe(most);
      expect([inputTokens, outputTokens]).toEqual([100 * most, most]);
      expect(cost).toEqual({ amount: expect.closeTo(most * 0.00103, 9), currency: "EUR" });
      expect(labelled).toBeGreaterThan(5);
      expect(failure).toMatchObject({
        code: "failed",
        message: expect.stringContaining(`The teacher's limit of ${words} is reached: `),
        remedy: expect.stringContaining("finished labels are kept"),
      });
    }
  });

  it("of tokens need a server that counts them", async () => {
    const server = await serve((request) => ({ ...goodAnswer(request), usage: undefined }));
    await expect(teacherAt(server.url, { limit: { tokens: 10_000 } })).rejects.toThrow(
      "does not say how many tokens a request took",
    );
  });

  it("are estimated from one request of each kind", async () => {
    const server = await serve((request) => {
      const usage = { prompt_tokens: 10 + 50 * picturesIn(request).length, completion_tokens: 2 };
      return { ...goodAnswer(request), usage };
    });
    const teacher = await teacherAt(server.url, { price: { input: 1, output: 2 } });
    const [image] = await teacherImages(1);
    const before = server.requests.length;
    const work = { points: 100, pairs: 200, orders: "both", reasons: 0 } as const;
    const tokens = 100 * 60 + 400 * 110;
    expect(await teacher.estimate!(work, image!)).toEqual({
      requests: 500,
      inputTokens: tokens,
      outputTokens: 1000,
      cost: { amount: expect.closeTo((tokens + 2000) / 1e6, 12), currency: "USD" },
    });
    expect(server.requests.length - before).toBe(2);
    expect(await teacher.estimate!({ ...work, orders: "one" }, image!)).toMatchObject({ requests: 300 });
  });
});

describe("the fingerprint", () => {
  const base = "http://127.0.0.1:9/v1";
  const of = (more: Record<string, unknown>, endpoint = base) =>
    teacherFingerprint(configOf(endpoint, more), folder);

  it("changes with what can change a judgement, and with nothing else", async () => {
    const plain = await of({});
    const same = [
      of({}, "https://example.com/v1"),
      of({ concurrency: 3, timeout: 9, patience: 1, keyEnv: "MY_API_KEY" }),
      of({ price: { input: 1 }, limit: { requests: 5 } }),
      of({ prompts: { reason: "Why?" } }),
    ];
    expect(new Set([plain, ...(await Promise.all(same))]).size).toBe(1);
    const others = [
      of({ model: "n" }),
      of({ maxSide: 512 }),
      of({ prompts: { point: "Rate it: {words}." } }),
      of({ prompts: { tie: "C" } }),
      of({ prompts: { prefill: "It is" } }),
      of({ prompts: { domain: "aigc" } }),
    ];
    expect(new Set([plain, ...(await Promise.all(others))]).size).toBe(others.length + 1);
  });

  it("refuses answers that cannot be told apart", async () => {
    await expect(of({ prompts: { letters: ["a", "A"] } })).rejects.toMatchObject({
      code: "config",
      message: expect.stringContaining("“a” is offered twice"),
    });
  });
});

const pixelsOf = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer();

/** Both images of a canvas, cut out where they must lie: 24 pixels between them, 48 above. */
function sidesOf(url: string, side: number): Promise<Buffer[]> {
  const bytes = Buffer.from(url.split(",")[1]!, "base64");
  const cut = (left: number) => sharp(bytes).extract({ left, top: 48, width: side, height: side });
  return Promise.all([24, 24 + side + 24].map((left) => cut(left).removeAlpha().raw().toBuffer()));
}

/** All that a request says in words. */
function textOf(request: ChatRequest): string {
  return request.messages
    .flatMap(({ content }) =>
      typeof content === "string" ? content : content.map((part) => part.text ?? ""),
    )
    .join(" ");
}
