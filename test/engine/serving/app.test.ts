import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { scorePaths } from "../../../src/engine/scoring/score.ts";
import { type ServiceOptions, scoringService } from "../../../src/engine/serving/app.ts";
import { openStudent, type Student } from "../../../src/engine/student/student.ts";

const folder = path.resolve("test/fixtures/student");
const photos = ["coffee", "china", "stream"].map((name) => path.resolve(`demo/photos/${name}.jpg`));
const bytes = photos.map((file) => readFileSync(file));
let student: Student;
/** What `leaf score` says of the same files. */
let expected: { score: number; distance?: number; far?: boolean }[];

beforeAll(async () => {
  student = await openStudent(folder);
  const { scores } = await scorePaths(photos, { student: folder });
  expected = scores.map(({ image: _, ...score }) => score);
});
afterAll(() => student.close());

const wide: ServiceOptions = {
  concurrency: 2,
  maxRequests: 8,
  maxBodyBytes: 8e6,
  maxInsideBytes: 64e6,
};

/** The student, once it may. */
function waiting(): { student: Student; open(): void } {
  const gate = Promise.withResolvers<void>();
  const judgeViews: Student["judgeViews"] = (...given) =>
    gate.promise.then(() => student.judgeViews(...given));
  return { student: { ...student, judgeViews }, open: gate.resolve };
}

function service(options: Partial<ServiceOptions> = {}, scorer = student): FastifyInstance {
  const app = scoringService(scorer, { ...wide, ...options });
  onTestFinished(() => app.close());
  return app;
}

const post = (app: FastifyInstance, body: Buffer, headers: Record<string, string> = {}) =>
  app.inject({
    method: "POST",
    url: "/v1/score",
    payload: body,
    headers: { "content-type": "application/octet-stream", ...headers },
  });

describe("the scoring service", () => {
  it("gives an image the score of `leaf score`, to the last digit", async () => {
    const app = service();
    for (const [i, body] of bytes.entries()) {
      const answer = await post(app, body, {
        "content-type": i === 0 ? "image/jpeg" : "application/octet-stream",
      });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ student: student.fingerprint, ...expected[i] });
    }
  });

  it("answers a batch in its order, and a broken image by its reason beside the scores of the others", async () => {
    const data = (body: Buffer) => body.toString("base64");
    const images = [
      { id: "a", data: data(bytes[1]!) },
      { id: 2, data: data(Buffer.from("no image")) },
      { data: data(bytes[0]!) },
    ];
    const answer = await service().inject({ method: "POST", url: "/v1/batch", payload: { images } });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      student: student.fingerprint,
      results: [
        { id: "a", ...expected[1] },
        { id: 2, error: "image: not an image of a known format." },
        { ...expected[0] },
      ],
    });
  });

  it.each([
    ["bytes that are no image", "application/octet-stream", "hello", 422, "not an image of a known format"],
    ["no bytes", "application/octet-stream", "", 422, "the file is empty"],
    ["text", "text/plain", "hello", 415, "Send the bytes of an image"],
    ["JSON", "application/json", "{}", 415, "Send the bytes of an image"],
    ["more than a request may have", "image/png", "x".repeat(2000), 413, "too large"],
  ])("refuses %s in one sentence", async (_, type, body, status, sentence) => {
    const answer = await post(service({ maxBodyBytes: 1000 }), Buffer.from(body), { "content-type": type });
    expect(answer.statusCode).toBe(status);
    expect(answer.json().error).toContain(sentence);
  });

  it.each([
    ["no images", { images: [] }],
    ["another key", { images: [{ data: "AA==", path: "/etc/passwd" }] }],
    ["what is not base64", { images: [{ data: "???" }] }],
  ])("refuses a batch with %s", async (_, payload) => {
    const answer = await service().inject({ method: "POST", url: "/v1/batch", payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toContain("Send `{");
  });

  it("with a token answers nobody who lacks it; without one no web page", async () => {
    const app = service({ token: "secret" });
    for (const headers of [{}, { authorization: "Bearer secre" }, { authorization: "secret" }])
      for (const url of ["/healthz", "/metrics"])
        expect((await app.inject({ url, headers })).statusCode).toBe(401);
    expect(
      (await app.inject({ url: "/healthz", headers: { authorization: "Bearer secret" } })).statusCode,
    ).toBe(200);
    const open = service();
    expect((await open.inject({ url: "/healthz", headers: { origin: "http://a.example" } })).statusCode).toBe(
      403,
    );
    expect((await open.inject({ url: "/healthz" })).json()).toEqual({
      status: "ok",
      student: { fingerprint: student.fingerprint, stage: "distill", scale: [1, 5] },
    });
  });

  it("says no at once where too many are inside, and takes more when they have left", async () => {
    const busy = waiting();
    const app = service({ maxRequests: 2, concurrency: 1 }, busy.student);
    const asked = [0, 1, 2, 0].map((i) => post(app, bytes[i]!));
    // The two that find no room are answered while the others wait.
    await expect.poll(async () => (await app.inject({ url: "/metrics" })).body).toMatch(/status="503"} 2/);
    busy.open();
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ statusCode }) => statusCode === 503);
    expect(refused).toHaveLength(2);
    expect(refused[0]!.headers["retry-after"]).toBe("1");
    expect((await post(app, bytes[0]!)).statusCode).toBe(200);
    // By bytes: two of this size do not fit, one alone does.
    const again = waiting();
    const narrow = service({ maxInsideBytes: bytes[0]!.length + 10 }, again.student);
    const first = post(narrow, bytes[0]!);
    await expect.poll(async () => (await narrow.inject({ url: "/metrics" })).body).toContain("inside 1");
    expect((await post(narrow, bytes[0]!)).statusCode).toBe(503);
    again.open();
    expect((await first).statusCode).toBe(200);
  });

  it("counts for Prometheus", async () => {
    const app = service();
    await post(app, bytes[0]!);
    await post(app, Buffer.from("x"));
    const { body, headers } = await app.inject({ url: "/metrics" });
    expect(headers["content-type"]).toContain("text/plain");
    expect(body).toContain('leaf_requests_total{route="/v1/score",status="200"} 1');
    expect(body).toContain('leaf_requests_total{route="/v1/score",status="422"} 1');
    expect(body).toContain('leaf_images_total{outcome="scored"} 1');
    expect(body).toContain('leaf_images_total{outcome="failed"} 1');
    expect(body).toContain("leaf_requests_inside 0");
    expect(body).toContain(`leaf_student_info{fingerprint="${student.fingerprint}",stage="distill"} 1`);
  });

  it("answers all that are inside when it is stopped, and then lets nobody in", async () => {
    const busy = waiting();
    const app = service({ concurrency: 1, maxRequests: 20 }, busy.student);
    await app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        const asked = request(
          {
            port,
            host: "127.0.0.1",
            path: "/v1/score",
            method: "POST",
            agent,
            headers: { "content-type": "image/jpeg" },
          },
          (answer) => {
            answer.resume();
            answer.once("end", () => resolve(answer.statusCode!));
          },
        );
        asked.once("error", reject);
        asked.end(bytes[0]!);
      });
    const asked = Array.from({ length: 10 }, ask);
    // All are inside before the stop.
    await expect
      .poll(async () => (await app.inject({ url: "/metrics" })).body)
      .toContain("leaf_requests_inside 10");
    const closed = app.close();
    busy.open();
    expect(await Promise.all(asked)).toEqual(Array(10).fill(200));
    await closed;
    await expect(ask()).rejects.toThrow("ECONNREFUSED");
  });
});
