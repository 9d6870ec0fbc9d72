import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { findFailureModes } from "../../../src/engine/pipeline/failureModes.ts";
import { say } from "../../../src/words/text.ts";
import { pseudoBundle, untranslated } from "../../support/pseudoLocale.ts";
import { createModel } from "../support/model/model.ts";
import { panels, wordsOf } from "../support/panelTest.ts";

const open = panels();
/** What the server words (lenses' headlines, reasons, titles), names and settings of the model, and the measures' own names. */
const ofModel =
  /\b[0-9a-f]{7,40}\b|(?:photos|kadid|renders|tests?)\/\S*|images?_\d+|\b(?:TGD|CFT|Holm|ECE|AUROC|CSV|SVG|JPEG|PNG|photos)\b|\b[a-z]+(?:\.[a-zA-Z]+)+\b/g;

test.each(["gallery", "metrics", "runs", "rate"] as const)(
  "the tab %s says everything in the editor's language",
  async (tab) => {
    const model = createModel();
    model.runs[0]!.reason = say`It was stopped before its first stage was done.`;
    model.runs[0]!.state = "cancelled";
    model.evaluations.get("r12")!.evaluation.findings = findFailureModes({
      ...{ student: "calibrate", n: 90, srcc: 0.8, plcc: 0.5, rmse: 0.5, range: 4 },
      ...{ teacherSrcc: 0.9, distilledSrcc: 0.9, calibration: { n: 50, rmse: 0.1 } },
      spread: { scores: 0.1, mos: 1 },
      elsewhere: [{ dataset: "renders/a", n: 90, srcc: 0.3 }],
    });
    const { page } = await open({ model, tab, strings: pseudoBundle });
    await page.locator("main h1, main h2, main button").first().waitFor();
    const words = await wordsOf(page.locator("leaf-app"));
    expect(words).toContain("⟦");
    expect(untranslated(words, ofModel)).toEqual([]);
    if (tab === "metrics") expect(await page.locator("leaf-findings li").count()).toBe(6);
    if (tab === "runs")
      expect(await page.locator(`[title="⟦It was stopped before its first stage was done.⟧"]`).count()).toBe(
        1,
      );
  },
);

test("German fits the panel", async () => {
  const strings = JSON.parse(readFileSync("l10n/bundle.l10n.de.json", "utf8")) as Record<string, string>;
  const { page, shot } = await open({ model: createModel(), tab: "metrics", strings });
  await page.getByText("Übereinstimmung mit menschlichen Bewertungen").first().waitFor();
  await shot("metrics-de");
  const small = { model: createModel(), tab: "gallery", strings, width: 1280, height: 800, zoom: 2 } as const;
  const gallery = await open(small);
  await gallery.page.getByRole("button", { name: "Ausschließen" }).waitFor();
  await gallery.page.locator("leaf-image-details .percent").first().waitFor();
  await gallery.shot("gallery-zoom-de");
  // No word or figure lies beyond the window or its column.
  const beyond = await gallery.page.locator("leaf-gallery").evaluate((tab) => {
    const buttons = [...tab.shadowRoot!.querySelectorAll(".acts button")];
    const details = tab.shadowRoot!.querySelector("leaf-image-details")!;
    const { right } = details.getBoundingClientRect();
    const figures = [...details.shadowRoot!.querySelectorAll(".percent")];
    return [
      ...buttons.filter((one) => one.getBoundingClientRect().bottom > innerHeight),
      ...figures.filter((one) => one.getBoundingClientRect().right > right),
    ].map((one) => one.textContent);
  });
  expect(beyond).toEqual([]);
});
