import { describe, expect, test } from "vitest";
import { render, say } from "../../src/words/text.ts";
import { english, type Translate } from "../../src/words/translate.ts";

describe("sentences as data", () => {
  test("a template and its values make the English sentence", () => {
    const text = say`${"mos.csv"} has ${3} rows of no use.`;
    expect(text).toEqual({ template: "{0} has {1} rows of no use.", values: ["mos.csv", 3] });
    expect(render(text, english)).toBe("mos.csv has 3 rows of no use.");
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
