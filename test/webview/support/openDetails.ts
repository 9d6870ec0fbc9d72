import { createModel } from "./model/model.ts";
import type { panels } from "./panelTest.ts";

type Open = ReturnType<typeof panels>;

/** The gallery with its first image in the details, drawn in full. */
export async function openDetails(open: Open, options: Parameters<Open>[0] = {}) {
  const panel = await open({ tab: "gallery", model: createModel({ images: 60, pairs: 40 }), ...options });
  const { page } = panel;
  await page.locator("leaf-image-grid img").first().waitFor();
  await page.locator('leaf-image-grid [data-index="0"]').click();
  const details = page.locator("leaf-image-details");
  await details.locator("img.full:not(.waits)").waitFor();
  const rows = [...panel.model.images].sort((a, b) => a.score! - b.score!);
  return { panel, page, details, rows };
}
