import { describe, expect, test, vi } from "vitest";
import { sentence } from "../../src/protocol/schema/common.ts";
import { asTemplate, counted, quoted, render, say } from "../../src/words/text.ts";
import { english, type Translate, translator } from "../../src/words/translate.ts";

describe("sentences as data", () => {
  test("a template and its values make the English sentence", () => {
    const text = say`${"mos.csv"} has ${3} rows of no use.`;
    expect(text).toEqual({ template: "{0} has {1} rows of no use.", values: ["mos.csv", 3] });
    expect(render(text, english)).toBe("mos.csv has 3 rows of no use.");
  });

  test("a count is data, grouped by the reader's language", () => {
    const text = say`${counted(1234)} failed`;
    expect(JSON.parse(JSON.stringify(text))).toEqual({ template: "{0} failed", values: [{ count: 1234 }] });
    expect(render(text, english)).toBe("1,234 failed");
    const german = translator({ "1,000": "1\u202f000", "{0} failed": "{0} fehlgeschlagen" });
    expect(render(text, german)).toBe("1\u202f234 fehlgeschlagen");
    expect(sentence.parse(text)).toEqual(text);
  });

  test("a part sentence is translated on its own, and values keep their places where the order differs", () => {
    const german: Translate = (message, ...values) =>
      english(
        ({ "{0} in {1}": "In {1}: {0}", "no image": "kein Bild" } as Record<string, string>)[message] ??
          message,
        ...values,
      );
    expect(render(say`${say`no image`} in ${"a{1}b"}`, german)).toBe("In a{1}b: kein Bild");
  });
});

test("a sentence in a string that nobody worded fails in tests, and is English to people; JSON and comparisons see none of it", () => {
  const plain = { template: "Cannot read {0}.", values: ["a.png"] };
  const text = say`Cannot read ${"a.png"}.`;
  for (const one of [text, quoted("x"), asTemplate("x")]) {
    expect(() => `leaf: ${one}`).toThrow("unworded");
    expect(() => String(one)).toThrow("unworded");
  }
  expect(text).toStrictEqual(plain);
  expect(JSON.stringify(text)).toBe(JSON.stringify(plain));
  expect(structuredClone(text)).toStrictEqual(plain);
  expect({ ...text }).toStrictEqual(plain);
  vi.stubEnv("VITEST", "");
  expect(`leaf: ${text}`).toBe("leaf: Cannot read a.png.");
  vi.unstubAllEnvs();
});
