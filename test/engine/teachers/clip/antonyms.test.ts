import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ClipTeacherConfig, teacherSchema } from "../../../../src/engine/config/teacher.ts";
import { qualityOf, reasonOf, resolveAntonyms } from "../../../../src/engine/teachers/clip/antonyms.ts";
import { clipTeacherFingerprint } from "../../../../src/engine/teachers/clip/identity.ts";
import { expectedScore } from "../../../../src/engine/teachers/judgement.ts";
import { pairOf, pointOf } from "../../../../src/engine/teachers/latent.ts";

const config = (changes = {}): ClipTeacherConfig =>
  teacherSchema.parse({ kind: "clip", model: "org/model", ...changes }) as ClipTeacherConfig;
const quality = (first: number[], noise = 0.6) => ({ ok: true as const, ...qualityOf(first, noise) });

describe("texts", () => {
  it("are those of CLIP-IQA and more, in the words of the domain", () => {
    const { quality, attributes } = resolveAntonyms(config().prompts);
    expect(quality[0]).toEqual(["Good photo.", "Bad photo."]);
    expect(quality.length).toBeGreaterThan(1);
    expect(attributes[0]).toEqual({ good: "Sharp photo.", bad: "Blurry photo.", reason: "blurry" });
    expect(JSON.stringify([quality, attributes])).not.toMatch(/\{domain\}/i);
    const render = resolveAntonyms(config({ prompts: { domain: "product render" } }).prompts);
    expect(render.quality[2]![0]).toBe("Product render without any visible flaw.");
    expect(resolveAntonyms(config({ prompts: { domain: "aigc" } }).prompts).quality[0]![0]).toBe(
      "Good AI-generated image.",
    );
  });

  it("may be one's own", () => {
    const prompts = {
      quality: [["A crisp {domain}", "A soft {domain}"]],
      attributes: [{ good: "Upright", bad: "Tilted", reason: "tilted" }],
    };
    expect(resolveAntonyms(config({ prompts }).prompts)).toEqual({
      quality: [["A crisp photo", "A soft photo"]],
      attributes: [{ good: "Upright", bad: "Tilted", reason: "tilted" }],
    });
    expect(() => config({ prompts: { quality: [] } })).toThrow();
    expect(() => config({ prompts: { quality: [["one"]] } })).toThrow();
  });
});

describe("from probabilities to ratings and pairs", () => {
  it("puts the mean probability on 1..5, with the noise and the texts' disagreement", () => {
    // 4 x the standard error of [.4, .6, .8]: 4 x .2 / sqrt(3)
    const { mu, sigma } = qualityOf([0.4, 0.6, 0.8], 0.5);
    expect(mu).toBeCloseTo(3.4, 12);
    expect(sigma).toBeCloseTo(Math.hypot(0.5, 0.8 / Math.sqrt(3)), 12);
    expect(qualityOf([0.25], 0.7)).toEqual({ mu: 2, sigma: 0.7 });
  });

  it("scores rise with the probability, and are surer where the texts agree", () => {
    const score = (first: number[]) => {
      const point = pointOf(quality(first));
      if (!point.ok) throw new Error(point.reason);
      return expectedScore(point.probabilities);
    };
    const scores = [0, 0.2, 0.4, 0.6, 0.8, 1].map((p) => score([p, p]));
    expect([...scores].sort((a, b) => a - b)).toEqual(scores);
    expect(scores[2]).toBeCloseTo(2.6, 1);
    const apart = pairOf(quality([0.7, 0.7]), quality([0.4, 0.4]));
    const torn = pairOf(quality([1, 0.4]), quality([0.4, 0.4]));
    if (!apart.ok || !torn.ok) throw new Error("no pair");
    // Thurstone: Phi(1.2 / (0.6 sqrt 2))
    expect(apart.pAB).toBeCloseTo(0.92135, 4);
    expect(torn.pAB).toBeGreaterThan(0.5);
    expect(torn.pAB).toBeLessThan(apart.pAB);
    expect(apart.pBA).toBe(apart.pAB);
  });

  it("names the clearest flaws", () => {
    const { attributes } = resolveAntonyms(config().prompts);
    expect(reasonOf([0.9, 0.3, 0.1, 0.5], attributes)).toBe("dark, noisy");
    expect(reasonOf([0.1, 0.2, 0.3, 0.4], attributes)).toBe("blurry, noisy, dark");
    expect(reasonOf([0.9, 0.9, 0.9, 0.9], attributes)).toBe("no visible flaw");
  });
});

it("is another teacher for all that can change a judgement", async () => {
  const of = (changes = {}) => clipTeacherFingerprint(config(changes), "/");
  const base = await of();
  expect(base).toHaveLength(createHash("sha256").update("").digest("hex").length);
  const same = [{ batch: 3 }, { device: "cpu" }, { prompts: { attributes: [] } }];
  for (const changes of same) expect(await of(changes)).toBe(base);
  const others = await Promise.all(
    [
      { model: "org/other" },
      { revision: "v2" },
      { dtype: "bfloat16" },
      { maxSide: 384 },
      { noise: 0.5 },
      { prompts: { domain: "aigc" } },
      { prompts: { quality: [["Good photo.", "Bad photo."]] } },
    ].map(of),
  );
  expect(new Set([base, ...others]).size).toBe(others.length + 1);
});
