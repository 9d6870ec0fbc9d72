import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/engine/base/random.ts";
import { teacherSchema } from "../../src/engine/config/teacher.ts";
import { createTeacher } from "../../src/engine/teachers/createTeacher.ts";
import type { Teacher } from "../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../src/words/text.ts";
import { type ChatRequest, completion, goodAnswer, picturesIn } from "../support/chatServer.ts";
import { useChatServers } from "../support/chatServers.ts";
import { freePort } from "../support/llama/server.ts";
import { teacherImages } from "../support/teacherImages.ts";

const { folder, closing, serve } = useChatServers("leaf-hostile-");

const notes: string[] = [];
async function teacherAt(endpoint: string | string[], more: Record<string, unknown> = {}): Promise<Teacher> {
  notes.length = 0;
  const config = teacherSchema.parse({
    kind: "openai",
    endpoint,
    model: "m",
    timeout: 0.4,
    patience: 20,
    ...more,
  });
  const teacher = await createTeacher(config, {
    root: folder,
    onNote: (note) => notes.push(inEnglish(note)),
  });
  return closing(teacher);
}

/** Whether a question is one of the probe's, whose pictures are plain grey. */
let probing = true;

function html(response: ServerResponse) {
  response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><p>Bad gateway");
}

/** Ways to go wrong; each ends the answer, or leaves it open. */
const faults: Record<string, (response: ServerResponse, request: ChatRequest) => unknown> = {
  "429": (response) => void response.writeHead(429).end('{"error":{"message":"slow down"}}'),
  "429 with a date": (response) =>
    void response.writeHead(429, { "retry-after": new Date(Date.now() + 200).toUTCString() }).end(),
  "503": (response) => void response.writeHead(503, { "retry-after": "0.05" }).end("overloaded"),
  "500": (response) => void response.writeHead(500).end("Internal Server Error"),
  "502 page": (response) => void response.writeHead(502).end("<html>nginx</html>"),
  html: (response) => void html(response),
  "cut short": (response) => {
    response.writeHead(200, { "content-length": "5000" });
    response.write('{"choices": [');
    response.socket!.destroy();
  },
  "half-closed": (response) => void response.socket!.end(),
  reset: (response) => void response.socket!.resetAndDestroy(),
  stall: () => undefined,
  "stalls in the body": (response) => {
    response.writeHead(200);
    response.write('{"choices"');
  },
  NaN: (response) =>
    void response.end(JSON.stringify(completion({ good: 1 })).replace(/"logprob":[^,]+/g, '"logprob":NaN')),
  "no choices": () => ({ choices: [], usage: { prompt_tokens: 1 } }),
  "no list": () => ({ choices: [{ message: { content: "good" }, logprobs: null }] }),
  "wrong list": () => completion({ good: 0.9, fair: 0.9 }),
  "other shapes": () => ({ choices: [{ logprobs: { content: [{ token: 1, top_logprobs: "x" }] } }] }),
  "50 MB": (response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(2 ** 20, " ");
    let sent = 0;
    const more = () => {
      while (sent++ < 50) if (!response.write(chunk)) return void response.once("drain", more);
      response.end("{}");
    };
    more();
  },
};

describe("a hostile server", () => {
  it("labels every image in the end while all kinds of faults come at random", async () => {
    const random = seededRandom(3);
    const kinds = Object.values(faults);
    probing = true;
    const server = await serve((request, response) => {
      if (probing || random() > 0.4) return goodAnswer(request);
      return kinds[Math.floor(random() * kinds.length)]!(response, request);
    });
    // On a busy machine good answers come late too: the patience is not what is tried here.
    const teacher = await teacherAt(server.url, { patience: 120 });
    probing = false;
    const images = await teacherImages(120);
    const judged = await teacher.judgePoints(images);
    expect(judged).toHaveLength(120);
    // At 40 % faults, five tries fail for one image in some hundred.
    const failed = judged.filter((one) => !one.ok);
    expect(failed.length).toBeLessThan(12);
    for (const one of failed) expect((one as { reason: string }).reason).toMatch(/, 5 times$/);
    for (const one of judged) if (one.ok) expect(one.mass).toBeCloseTo(0.99, 9);
    const pairs = await teacher.judgePairs(images.slice(0, 20).map((image, i) => [image, images[i + 20]!]));
    for (const pair of pairs)
      if (pair.ok) expect([pair.pAB, pair.pBA]).toEqual([7 / 9, expect.closeTo(2 / 9, 9)]);
    expect(pairs.filter((pair) => pair.ok).length).toBeGreaterThan(14);
  });

  it("fails an image with its reason where its fault stays, and labels the others", async () => {
    const images = await teacherImages(2 * Object.keys(faults).length);
    const isPermanent = (name: string) => !/^(429|503)/.test(name);
    const names = Object.keys(faults).filter(isPermanent);
    const broken = new Map<string, string>();
    for (const [i, name] of names.entries()) {
      const url = `data:image/png;base64,${(await images[i]!.read()).toString("base64")}`;
      broken.set(url, name);
    }
    const server = await serve((request, response) => {
      const name = broken.get(picturesIn(request)[0] ?? "");
      return name ? faults[name]!(response, request) : goodAnswer(request);
    });
    const teacher = await teacherAt(server.url);
    const judged = await teacher.judgePoints(images);
    const reasons = names.map((name, i) => [
      name,
      judged[i]!.ok ? "labelled" : (judged[i] as { reason: string }).reason,
    ]);
    expect(Object.fromEntries(reasons)).toEqual({
      "500": "HTTP 500: Internal Server Error, 5 times",
      "502 page": "HTTP 502: an HTML page, 5 times",
      html: "the answer is not JSON (an HTML page), 5 times",
      "cut short": "the connection broke off, 5 times",
      "half-closed": "the connection broke off, 5 times",
      reset: "the connection broke off, 5 times",
      stall: "no answer within 0.4 s, 5 times",
      "stalls in the body": "no answer within 0.4 s, 5 times",
      NaN: expect.stringMatching(/^the answer's log-probabilities are not valid \(.*null.*\), 5 times$/),
      "no choices": expect.stringMatching(
        /^the answer has no log-probabilities \(.*"choices":\[\].*\), 5 times$/,
      ),
      "no list": "the answer has no log-probabilities (logprobs: null), 5 times",
      "wrong list": "the answer's probabilities sum to 1.80, 5 times",
      "other shapes":
        'the answer\'s log-probabilities are not valid ({"token":1,"top_logprobs":"x"}), 5 times',
      "50 MB": "the answer is over 8 MB, 5 times",
    });
    expect(judged.slice(names.length).every(({ ok }) => ok)).toBe(true);
  });

  it("does not try again what cannot be mended", async () => {
    const [image] = await teacherImages(1);
    for (const status of [400, 413, 422]) {
      probing = true;
      const server = await serve((request, response) => {
        if (probing) return goodAnswer(request);
        response
          .writeHead(status)
          .end('{"error":{"message":"cannot decode data:image/png;base64,AAAABBBBCCCCDDDDEEEE"}}');
        return undefined;
      });
      const teacher = await teacherAt(server.url);
      probing = false;
      const before = server.requests.length;
      expect(await teacher.judgePoints([image!])).toEqual([
        { ok: false, reason: `the server refuses it (HTTP ${status}: cannot decode data:image…)` },
      ]);
      expect(server.requests.length - before).toBe(1);
    }
  });

  it("ends the run with a remedy where the key, the model or the credit is wrong, and never tells the key", async () => {
    const [image] = await teacherImages(1);
    process.env.LEAF_TEST_KEY = "sk-topsecret123";
    const said =
      '{"error":{"message":"Incorrect API key provided: sk-topsecret123 (Bearer sk-topsecret123)"}}';
    try {
      for (const [status, message] of [
        [401, /does not accept the key \(HTTP 401: Incorrect API key provided: … \(Bearer …\)\)\.$/],
        [403, /does not accept the key/],
        [404, /does not know the model “m” or the path/],
        [402, /wants to be paid/],
        [405, /answers with HTTP 405/],
      ] as const) {
        probing = true;
        const server = await serve((request, response) => {
          if (probing) return goodAnswer(request);
          response.writeHead(status).end(said);
          return undefined;
        });
        const teacher = await teacherAt(server.url, { keyEnv: "LEAF_TEST_KEY" });
        probing = false;
        const before = server.requests.length;
        const error: Error = await teacher.judgePoints([image!]).then(
          () => expect.unreachable(),
          (thrown) => thrown,
        );
        expect(error).toMatchObject({ code: "environment", message: expect.stringMatching(message) });
        expect((error as { remedy?: string }).remedy).toBeTruthy();
        expect(server.requests.length - before).toBe(1);
        expect(server.headers.every(({ authorization }) => authorization === "Bearer sk-topsecret123")).toBe(
          true,
        );
        const seen = JSON.stringify([
          error,
          error.message,
          error.stack,
          notes,
          teacher.description,
          teacher.about && inEnglish(teacher.about),
        ]);
        expect(seen).not.toContain("topsecret");
      }
      await expect(teacherAt("http://127.0.0.1:1/v1", { keyEnv: "LEAF_NO_SUCH_KEY" })).rejects.toThrow(
        "The environment variable LEAF_NO_SUCH_KEY that `teacher.keyEnv` names is not set.",
      );
    } finally {
      delete process.env.LEAF_TEST_KEY;
    }
  });

  it("waits as long as it is told to, and asks less at once", async () => {
    probing = true;
    let refused: number | undefined;
    const early: number[] = [];
    const server = await serve((request, response) => {
      if (probing) return goodAnswer(request);
      if (refused === undefined) {
        refused = Date.now();
        response.writeHead(429, { "retry-after": "1" }).end();
        return undefined;
      }
      // Those that were on their way already may still come.
      const after = Date.now() - refused;
      if (after > 200 && after < 950) early.push(after);
      return goodAnswer(request);
    });
    const teacher = await teacherAt(server.url);
    probing = false;
    const judged = await teacher.judgePoints(await teacherImages(100));
    expect(judged.every(({ ok }) => ok)).toBe(true);
    expect(early).toEqual([]);
  });

  it("stops everything at once when it is cancelled", async () => {
    probing = true;
    let closed = 0;
    const server = await serve((request, response) => {
      if (probing) return goodAnswer(request);
      response.once("close", () => closed++);
      return undefined;
    });
    const teacher = await teacherAt(server.url, { timeout: 60 });
    probing = false;
    const controller = new AbortController();
    const judging = teacher.judgePoints(await teacherImages(30), controller.signal);
    setTimeout(() => controller.abort(), 200);
    await expect(judging).rejects.toMatchObject({ code: "cancelled" });
    await expect.poll(() => closed).toBeGreaterThan(0);
    const seen = server.requests.length;
    await expect(teacher.judgePoints(await teacherImages(3), controller.signal)).rejects.toMatchObject({
      code: "cancelled",
    });
    expect(server.requests.length).toBe(seen);
  });
});

describe("several endpoints", () => {
  it("share the work; a dead one is left alone and taken back when it answers", async () => {
    const deadPort = await freePort();
    const [one, two] = [await serve(), await serve()];
    const teacher = await teacherAt([one.url, two.url, `http://127.0.0.1:${deadPort}/v1`]);
    const images = await teacherImages(300);
    expect((await teacher.judgePoints(images)).every(({ ok }) => ok)).toBe(true);
    for (const { requests } of [one, two]) expect(requests.length).toBeGreaterThan(60);

    await one.close();
    expect((await teacher.judgePoints(images)).every(({ ok }) => ok)).toBe(true);
    const late = await serve(goodAnswer, deadPort);
    await expect
      .poll(
        async () => {
          await teacher.judgePoints(images.slice(0, 60));
          return late.requests.length;
        },
        { timeout: 20_000 },
      )
      .toBeGreaterThan(30);
  });

  it("that are all gone are waited for, then the run ends and keeps what it has", async () => {
    const port = await freePort();
    const started = Date.now();
    await expect(teacherAt(`http://127.0.0.1:${port}/v1`, { patience: 1 })).rejects.toMatchObject({
      code: "environment",
      message: `http://127.0.0.1:${port}/v1 does not answer (connection refused).`,
      remedy: expect.stringContaining("finished labels are kept"),
    });
    expect(Date.now() - started).toBeGreaterThan(950);
    expect(notes).toEqual([
      expect.stringMatching(/does not answer \(connection refused\); trying for 1 s more\.$/),
    ]);
    await expect(teacherAt(`http://127.0.0.1:${port}/v1`, { patience: 0 })).rejects.toThrow(
      "does not answer",
    );

    // One that starts later is found.
    const later = teacherAt(`http://127.0.0.1:${port}/v1`, { patience: 30 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const server = await serve(goodAnswer, port);
    const teacher = await later;
    const [image] = await teacherImages(1);
    expect(await teacher.judgePoints([image!])).toMatchObject([{ ok: true }]);
    expect(server.requests.length).toBeGreaterThan(1);
  });
});
