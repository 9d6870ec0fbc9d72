import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pseudoBundle, untranslated } from "../../support/pseudoLocale.ts";
import { createModel } from "../support/model/model.ts";
import { panels, wordsOf } from "../support/panelTest.ts";

const open = panels();
/** What the server words (lenses' headlines, reasons, titles), names and settings of the model, and the measures' own names. */
const ofModel =
  /\b[0-9a-f]{7,40}\b|(?:photos|kadid|renders|tests?)\/\S*|images?_\d+|student r\d+ · calibrated|\b(?:TGD|CFT|Holm|ECE|AUROC|CSV|SVG|JPEG|PNG|photos|Del)\b|\b[a-z]+(?:\.[a-zA-Z]+)+\b/g;

test.each(["gallery", "metrics", "runs", "rate"] as const)(
  "the tab %s says everything in the editor's language",
  async (tab) => {
    const { page } = await open({ model: createModel(), tab, strings: pseudoBundle });
    await page.locator("main h1, main h2, main button").first().waitFor();
    const words = await wordsOf(page.locator("leaf-app"));
    expect(words).toContain("⟦");
    expect(untranslated(words, ofModel)).toEqual([]);
  },
);

test("German fits the panel", async () => {
  const strings = JSON.parse(readFileSync("l10n/bundle.l10n.de.json", "utf8")) as Record<string, string>;
  const { page, shot } = await open({ model: createModel(), tab: "metrics", strings });
  await page.getByText("Übereinstimmung mit menschlichen Bewertungen").first().waitFor();
  await shot("metrics-de");
});
