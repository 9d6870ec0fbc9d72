import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseTeacherMessage } from "../../../../src/engine/teachers/transformers/messages.ts";
import { pairPreference, pointJudgement } from "../../../../src/engine/teachers/transformers/teacher.ts";
import type { TeacherMessage } from "../../../../src/protocol/teacher.ts";

const text = fc.string();
const nullableText = fc.option(text);
const mass = fc.double({ min: 0, max: 1, noNaN: true });
const masses = (n: number) => fc.array(mass, { minLength: n, maxLength: n });
const failed = fc.record({ ok: fc.constant(false as const), reason: text });
const ok = fc.constant(true as const);
const answer = fc.oneof(
  failed,
  fc.record({ ok, masses: masses(5) }),
  fc.record({ ok, ab: masses(2), ba: fc.option(masses(2)) }),
  fc.record({ ok, text }),
  fc.record({
    ok,
    rendered: text,
    prefill: nullableText,
    top: fc.array(fc.record({ token: text, probability: mass })),
    answers: fc.array(fc.record({ answer: text, tokens: fc.array(text), probability: mass })),
    mass,
  }),
);
const v = fc.constant(1 as const);
const id = fc.nat();
const messages: fc.Arbitrary<TeacherMessage> = fc.oneof(
  fc.record({ v, type: fc.constant("need" as const), id, images: fc.array(text) }),
  fc.record({ v, type: fc.constant("answer" as const), id, answers: fc.array(answer) }),
  fc.record({
    v,
    type: fc.constant("error" as const),
    id: fc.option(id),
    code: text,
    message: text,
    remedy: nullableText,
  }),
);

describe("lines of the local teacher", () => {
  it("come back as they were sent", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const line = JSON.stringify(message);
        expect(JSON.stringify(parseTeacherMessage(line))).toBe(line);
      }),
    );
  });

  it("are told from anything else, and nothing else throws", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.json()), (line) => {
        expect(parseTeacherMessage(line)).toBeUndefined();
      }),
    );
  });

  it("lose their meaning without any one of their keys", () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, at) => {
        const keys = Object.keys(message);
        const { [keys[at % keys.length]!]: _, ...rest } = message as unknown as Record<string, unknown>;
        expect(parseTeacherMessage(JSON.stringify(rest))).toBeUndefined();
      }),
    );
  });
});

describe("judgements from masses", () => {
  it("normalise a rating and keep its mass", () => {
    expect(pointJudgement({ ok: true, masses: [0.1, 0.2, 0.1, 0, 0] })).toEqual({
      ok: true,
      mass: expect.closeTo(0.4, 12),
      probabilities: [0.25, 0.5, 0.25, 0, 0].map((p) => expect.closeTo(p, 12)),
    });
    expect(pointJudgement({ ok: true, masses: [0, 0, 0, 0, 0] }).ok).toBe(false);
    expect(pointJudgement({ ok: false, reason: "no" })).toEqual({ ok: false, reason: "no" });
  });

  it("give half of a tie to each image, and tell the second order as P(a better)", () => {
    const letters = ["A", "B"] as [string, string];
    const judged = pairPreference({ ok: true, ab: [0.6, 0.2, 0.2], ba: [0.1, 0.7, 0.2] }, { letters });
    expect(judged).toEqual({ ok: true, pAB: expect.closeTo(0.7, 12), pBA: expect.closeTo(0.8, 12) });
    expect(pairPreference({ ok: true, ab: [0.6, 0.2], ba: null }, { letters })).toEqual({
      ok: true,
      pAB: expect.closeTo(0.75, 12),
      pBA: null,
    });
  });

  it("refuse a pair where either order was not answered with a letter", () => {
    const letters = ["A", "B"] as [string, string];
    for (const [ab, ba] of [
      [
        [0.3, 0.1],
        [0.5, 0.5],
      ],
      [
        [0.5, 0.5],
        [0.3, 0.1],
      ],
    ] as const) {
      expect(pairPreference({ ok: true, ab: [...ab], ba: [...ba] }, { letters })).toEqual({
        ok: false,
        reason: "only 0.40 of the answer is on A and B",
      });
    }
  });
});
