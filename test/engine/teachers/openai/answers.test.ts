import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalised, readAnswers } from "../../../../src/engine/teachers/openai/answers.ts";
import { type ListedToken, tokensOf } from "../../../../src/engine/teachers/openai/tokens.ts";

const words = ["excellent", "good", "fair", "poor", "bad"];

/** Tokens from probabilities. */
function list(probabilities: [token: string, p: number][]): ListedToken[] {
  return probabilities.map(([token, p]) => ({ token, logprob: Math.log(p) }));
}

function answerOf(probabilities: [string, number][], answer: string, options = {}) {
  return readAnswers(list(probabilities), words, options).answers[words.indexOf(answer)]!;
}

describe("readAnswers", () => {
  it("sums case and leading-space variants, also as raw tokenizer pieces", () => {
    const read = readAnswers(
      list([
        ["Good", 0.3],
        [" good", 0.1],
        ["GOOD", 0.05],
        ["▁Good", 0.02],
        ["Ġgood", 0.01],
        ["bad", 0.2],
        ["goods", 0.1],
        ["The", 0.2],
      ]),
      words,
    );
    expect(read.answers[1]!.probability).toBeCloseTo(0.48, 12);
    expect(read.answers[1]!.tokens).toEqual(["Good", " good", "GOOD", "▁Good", "Ġgood"]);
    expect(read.answers[4]!.probability).toBeCloseTo(0.2, 12);
    expect(read.mass).toBeCloseTo(0.68, 12);
  });

  it("counts the first token of a word that is not listed whole, but not where it could be another word's", () => {
    const begun: [string, number][] = [
      ["Ex", 0.5],
      ["good", 0.3],
    ];
    expect(answerOf(begun, "excellent")).toMatchObject({ tokens: ["Ex"], atLeast: 0 });
    expect(answerOf(begun, "excellent").probability).toBeCloseTo(0.5, 12);
    const listed = answerOf([...begun, ["Excellent", 0.1]], "excellent");
    expect(listed.probability).toBeCloseTo(0.1, 12);
    expect(listed.atMost).toBeCloseTo(0.7, 12);
    const either = readAnswers(
      list([
        ["p", 0.6],
        ["perfect", 0.1],
      ]),
      ["perfect", "poor"],
    );
    expect(either.answers.map(({ atLeast }) => Number(atLeast.toFixed(6)))).toEqual([0.1, 0]);
    expect(either.prefixes).toMatchObject([{ token: "p", rests: ["erfect", "oor"] }]);
    expect(either.answers[1]!.atMost).toBeCloseTo(0.9, 12);
  });

  it("spreads a prefix token as a second look says", () => {
    const read = readAnswers(
      list([
        ["Ex", 0.5],
        ["good", 0.5],
      ]),
      words,
      { looks: new Map([["Ex", [0.8, 0, 0, 0, 0]]]) },
    );
    expect(read.answers[0]).toMatchObject({ tokens: ["Ex"] });
    expect(read.answers[0]!.probability).toBeCloseTo(0.4, 12);
    expect(read.mass).toBeCloseTo(0.9, 12);
    expect(read.prefixes).toEqual([]);
  });

  it("takes no leading space inside a word, and one that belongs to it", () => {
    const rests = ["cellent", null, " good"];
    const read = readAnswers(
      list([
        [" cellent", 0.5],
        ["CELLENT", 0.1],
        [" good", 0.2],
      ]),
      rests,
      { continues: true },
    );
    expect(read.answers.map(({ atLeast }) => Number(atLeast.toFixed(6)))).toEqual([0.1, 0, 0.2]);
  });

  it("gives an unlisted answer half of what one unlisted token can have", () => {
    const read = answerOf(
      [
        ["good", 0.9],
        ["fair", 0.06],
      ],
      "bad",
    );
    expect(read.probability).toBeCloseTo(0.02, 12);
    const long = answerOf(
      [
        ["good", 0.9],
        ["fair", 0.01],
      ],
      "bad",
    );
    expect(long.probability).toBeCloseTo(0.005, 12);
    const whole = readAnswers(list([["good", 0.6]]), words, { whole: true });
    expect(whole).toMatchObject({ unlisted: 0, unseen: 0 });
    expect(whole.answers[4]).toMatchObject({ probability: 0, atMost: 0 });
  });

  it("is not misled by texts that are no keys, by odd tokens or by an empty list", () => {
    const odd: [string, number][] = [
      ["", 0.2],
      ["\ufffd", 0.1],
      ["\ufffd", 0.1],
      [" ", 0.1],
      ["good", 0.2],
      ["good", 0.15],
    ];
    const read = readAnswers(list(odd), words);
    expect(read.answers[1]!.probability).toBeCloseTo(0.35, 12);
    expect(read.unlisted).toBeCloseTo(0.15, 12);
    expect(normalised(readAnswers([], words))).toEqual([0.2, 0.2, 0.2, 0.2, 0.2]);
  });

  // A model over a whole vocabulary; what is listed is its likeliest part, in any order.
  const vocabulary = [
    ...words.flatMap((word) => [word, word.toUpperCase(), ` ${word}`]),
    ...["Ex", " ex", "p", "P", "go", "b", "ba", "The", " ", "", "\ufffd", "\ufffd", "goods", "\n", "A"],
  ];
  const model = fc
    .array(fc.double({ min: -12, max: 4, noNaN: true }), {
      minLength: vocabulary.length,
      maxLength: vocabulary.length,
    })
    .map((logits) => {
      const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
      return vocabulary.map((token, i) => ({ token, logprob: logits[i]! - Math.log(total) }));
    });
  const listed = fc.record({
    all: model,
    k: fc.integer({ min: 1, max: vocabulary.length }),
    order: fc.array(fc.nat(), { minLength: vocabulary.length, maxLength: vocabulary.length }),
  });

  function cut({ all, k, order }: { all: ListedToken[]; k: number; order: number[] }): ListedToken[] {
    const top = [...all].sort((a, b) => b.logprob - a.logprob).slice(0, k);
    return top
      .map((token, i) => ({ token, at: order[i]! }))
      .sort((a, b) => a.at - b.at)
      .map(({ token }) => token);
  }

  /** What the whole vocabulary says of the words as single tokens. */
  const truth = (all: ListedToken[]) =>
    words.map((word) =>
      all.reduce(
        (sum, one) => (one.token.trim().toLowerCase() === word ? sum + Math.exp(one.logprob) : sum),
        0,
      ),
    );

  it("bounds the truth whatever part of the list it sees", () => {
    fc.assert(
      fc.property(listed, (drawn) => {
        const read = readAnswers(cut(drawn), words);
        for (const [i, p] of truth(drawn.all).entries()) {
          expect(read.answers[i]!.atLeast).toBeLessThanOrEqual(p + 1e-9);
          expect(read.answers[i]!.atMost).toBeGreaterThanOrEqual(p - 1e-9);
        }
      }),
    );
  });

  it("is exact with the whole list, whose order does not matter", () => {
    fc.assert(
      fc.property(listed, (drawn) => {
        const read = readAnswers(cut({ ...drawn, k: vocabulary.length }), words);
        const exact = truth(drawn.all);
        for (const [i, p] of exact.entries()) expect(read.answers[i]!.probability).toBeCloseTo(p, 9);
        expect(read.mass).toBeCloseTo(
          exact.reduce((sum, p) => sum + p, 0),
          9,
        );
      }),
    );
  });

  it("yields probabilities, between its bounds, with a mass that the listed tokens can have", () => {
    fc.assert(
      fc.property(listed, fc.boolean(), (drawn, whole) => {
        const tokens = cut(drawn);
        const read = readAnswers(tokens, words, { whole });
        const shares = normalised(read);
        expect(shares.every((p) => p >= 0 && p <= 1)).toBe(true);
        expect(shares.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
        const sum = tokens.reduce((total, { logprob }) => total + Math.exp(logprob), 0);
        expect(read.mass).toBeLessThanOrEqual(sum + 1e-9);
        for (const { probability, atLeast, atMost } of read.answers) {
          expect(probability).toBeGreaterThanOrEqual(atLeast - 1e-12);
          expect(probability).toBeLessThanOrEqual(atMost + 1e-12);
        }
      }),
    );
  });

  it("never raises a word by a look, beyond what its prefix has", () => {
    fc.assert(
      fc.property(listed, fc.double({ min: 0, max: 1, noNaN: true }), (drawn, follows) => {
        const tokens = cut(drawn);
        const looks = new Map([["Ex", [follows, 0, 0, 0, 0]]]);
        const [before, after] = [readAnswers(tokens, words), readAnswers(tokens, words, { looks })];
        const ex = tokens.reduce((sum, one) => (one.token === "Ex" ? sum + Math.exp(one.logprob) : sum), 0);
        expect(after.answers[0]!.atLeast - before.answers[0]!.atLeast).toBeCloseTo(ex * follows, 9);
        expect(after.answers.slice(1)).toEqual(before.answers.slice(1));
      }),
    );
  });
});

describe("tokensOf", () => {
  const completion = (content: unknown) => ({ choices: [{ logprobs: { content: [content] } }] });
  const one = (token: string, logprob: unknown, more = {}) => ({ token, logprob, ...more });

  it("reads the candidates and adds a sampled token that is not among them", () => {
    const answer = completion({ ...one("bad", -3), top_logprobs: [one("good", -0.1), one("fair", -4)] });
    expect(tokensOf(answer)).toHaveLength(3);
  });

  it("counts a token that is listed twice once, and two tokens of one text twice", () => {
    const bytes = [103, 111, 111, 100];
    const twice = {
      ...one("good", -0.5, { bytes }),
      top_logprobs: [one("good", -0.5, { bytes }), one("a", -2)],
    };
    expect(tokensOf(completion(twice))).toHaveLength(2);
    const partial = {
      ...one("\ufffd", -1, { id: 1 }),
      top_logprobs: [one("\ufffd", -1, { id: 1 }), one("\ufffd", -1, { id: 2 }), one("", -3, { id: 3 })],
    };
    expect(tokensOf(completion(partial))).toHaveLength(3);
  });

  it("says why a list cannot be used", () => {
    const list = (...tokens: unknown[]) => completion({ ...one("a", -9), top_logprobs: tokens });
    expect(tokensOf(list())).toBe("the answer lists no candidates");
    const notValid = (sent: string) =>
      `the answer's log-probabilities are not valid ([{"token":"a","logprob":${sent}}])`;
    expect(tokensOf(list(one("a", Number.NaN)))).toBe(notValid("null"));
    expect(tokensOf(list(one("a", null)))).toBe(notValid("null"));
    expect(tokensOf(list(one("a", 2)))).toBe(notValid("2"));
    expect(tokensOf({ choices: [{ logprobs: null }] })).toBe(
      "the answer has no log-probabilities (logprobs: null)",
    );
    expect(tokensOf(list(one("a", -0.1), one("b", -0.1)))).toBe("the answer's probabilities sum to 1.81");
    for (const none of [null, 1, {}, { choices: [] }, { choices: [{ logprobs: null }] }, completion(null)])
      expect(tokensOf(none)).toMatch(/^the answer('s|) /);
  });

  it("passes over entries that are no probabilities: they add nothing, wherever they stand", () => {
    const odd = fc.oneof(
      fc.constantFrom(null, "a", {}, one("x", null), one("x", "-Infinity"), { token: "x" }, { logprob: -1 }),
      fc
        .constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 3)
        .map((p) => one("bad", p)),
      fc.constant(one("bad", -9999)),
    );
    const good = [one("good", Math.log(0.6)), one("fair", Math.log(0.3))];
    fc.assert(
      fc.property(fc.array(fc.tuple(odd, fc.nat(2))), (entries) => {
        const mixed: unknown[] = [...good];
        for (const [entry, at] of entries) mixed.splice(at, 0, entry);
        const read = tokensOf(completion({ ...good[0], top_logprobs: mixed })) as ListedToken[];
        const plain = readAnswers(
          list([
            ["good", 0.6],
            ["fair", 0.3],
          ]),
          words,
        );
        expect(readAnswers(read, words)).toEqual({
          ...plain,
          // A token that is listed with no probability is named all the same.
          answers: plain.answers.map((answer) => ({ ...answer, tokens: expect.any(Array) })),
        });
      }),
    );
  });

  it("answers anything with a list or a reason", () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (content, top) => {
        const whole = tokensOf(completion({ token: "a", logprob: -1, top_logprobs: top }));
        for (const read of [tokensOf(content), tokensOf(completion(content)), whole])
          if (typeof read !== "string")
            for (const { logprob } of read) expect(Number.isFinite(logprob)).toBe(true);
      }),
    );
  });
});
