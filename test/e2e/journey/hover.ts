import { expect, test } from "vitest";
import type { Session } from "../support/session.ts";
import { until } from "../support/until.ts";

export function scoresInText(session: () => Session): void {
  test("shows an image's quality over its path in Markdown", async () => {
    const { workbench, editor, folder } = session();
    folder.write("notes.md", "# Notes\n\nBlurred, see photos/stream_027.png and the first.\n");
    await workbench.openFile("notes.md");
    const shown = await editor.hover("photos/stream_027.png", /Quality/);
    expect(shown).toMatch(/stream_027\.png · 160×160 · PNG/);
    expect(shown).toMatch(/Quality −?\d\.\d+ ± \d\.\d+ \/ 5/);
    expect(shown).toMatch(/better than \d+ % of \d+ scored images/);
    expect(shown).toMatch(/student r1 · calibrated/);
    expect(shown).toMatch(/Teacher \d\.\d+/);
    expect(shown).toMatch(/MOS \d\.\d/);
    expect(shown).toContain("Open in IQA panel");
    await workbench.screenshots("hover", () => editor.hover("photos/stream_027.png", /Quality/));
  });

  test("shows scores beside the names in a CSV file", async () => {
    const { workbench, editor } = session();
    await workbench.openFile("mos.csv");
    const notes = await until("scores", async () => {
      const found = await editor.notes();
      return found.length > 20 ? found : undefined;
    });
    expect(notes.filter((note) => /LEAF −?\d\.\d/.test(note))).toEqual(notes);
    await workbench.screenshot("csv");
  });
}
