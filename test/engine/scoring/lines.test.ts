import path from "node:path";
import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LineScore, readLine, scoreLines } from "../../../src/engine/scoring/lines.ts";
import { scorePaths } from "../../../src/engine/scoring/score.ts";
import { openStudent, type Student } from "../../../src/engine/student/student.ts";

const folder = path.resolve("test/fixtures/student");
const photo = (name: string) => path.resolve(`demo/photos/${name}.jpg`);
let student: Student;
beforeAll(async () => {
  student = await openStudent(folder);
});
afterAll(() => student.close());

async function answersTo(input: Readable, ahead = 4): Promise<LineScore[]> {
  const told: LineScore[] = [];
  await scoreLines(student, input, { ahead, tell: async (answer) => void told.push(answer) });
  return told;
}

describe("a line of `leaf score -`", () => {
  it("is a path, a JSON string, or an object with an id", () => {
    expect(readLine("a b.png")).toEqual({ image: "a b.png" });
    expect(readLine('"a\\n.png"')).toEqual({ image: "a\n.png" });
    expect(readLine('{"image": "a.png", "id": [1, null]}')).toEqual({ image: "a.png", id: [1, null] });
    for (const line of ["{", '{"image": 3}', '{"path": "a"}', '""', '"a', '{"image":"a","more":1}'])
      expect(readLine(line)).toEqual({ reason: expect.stringMatching(/^The line /) });
  });

  it("keeps any path and any id that JSON can write", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.jsonValue(), (image, value) => {
        // JSON has no -0.
        const id: unknown = JSON.parse(JSON.stringify(value));
        expect(readLine(JSON.stringify({ image, id }))).toEqual({ image, id });
        expect(readLine(JSON.stringify(image))).toEqual({ image });
      }),
    );
  });
});

describe("lines", () => {
  it("are answered in their order, with the scores of `leaf score`, however the stream is cut", async () => {
    const names = ["coffee", "china", "stream"].map(photo);
    const { scores } = await scorePaths(names, { student: folder });
    const text = `${names[0]}\r\n\n{"image":${JSON.stringify(names[1])},"id":7}\nnone.png\n${names[2]}`;
    const cut = Array.from(Buffer.from(text), (byte) => Buffer.from([byte]));
    for (const chunks of [[Buffer.from(text)], cut]) {
      const [a, b, none, c, ...more] = await answersTo(Readable.from(chunks));
      expect(a).toEqual(scores[0]);
      expect(b).toEqual({ ...scores[1], id: 7 });
      expect(none).toEqual({ image: "none.png", reason: "Cannot read none.png: it does not exist." });
      expect(c).toEqual(scores[2]);
      expect(more).toEqual([]);
    }
  });

  it("are answered while the other side waits for the answer", async () => {
    const input = new PassThrough();
    const told: LineScore[] = [];
    const done = scoreLines(student, input, { ahead: 8, tell: async (answer) => void told.push(answer) });
    for (let i = 1; i <= 3; i++) {
      input.write(`${photo("coffee")}\n`);
      await expect.poll(() => told.length, { timeout: 20_000 }).toBe(i);
    }
    input.end();
    expect(await done).toEqual({ scored: 3, failed: 0 });
  });

  it("are read no further ahead than asked for while the reader of the answers is slow", async () => {
    let read = 0;
    const input = Readable.from(
      (function* () {
        for (; read < 50; read++) yield Buffer.from(`no${read}.png\n`);
      })(),
      { highWaterMark: 1 },
    );
    let [told, most] = [0, 0];
    await scoreLines(student, input, {
      ahead: 3,
      async tell() {
        await new Promise((resolve) => setTimeout(resolve, 2));
        most = Math.max(most, read - told++);
      },
    });
    expect(told).toBe(50);
    // Three in work, one that waits for room, and what the stream itself holds.
    expect(most).toBeLessThan(8);
  });

  it("that are too long are told, and the next is read", async () => {
    const [long, next] = await answersTo(Readable.from([Buffer.from(`${"x".repeat(70_000)}\nnone.png\n`)]));
    expect(long).toEqual({ image: null, reason: "The line is too long." });
    expect(next).toMatchObject({ image: "none.png" });
  });

  it("end at once when they are cancelled, also while none comes", async () => {
    const controller = new AbortController();
    const input = new PassThrough();
    const done = scoreLines(student, input, { ahead: 4, signal: controller.signal, tell: async () => {} });
    setTimeout(() => controller.abort(), 20);
    await expect(done).rejects.toMatchObject({ code: "cancelled" });
  });
});
