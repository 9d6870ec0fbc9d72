// How long the IQA panel takes from navigation to its first content, in Chromium with a stub of the editor that answers at once: the
// browser's own first contentful paint, until the tab's words are there, and the page's processor time. Cold once, then warm. `npm run build -- --production` first gives the
// bundle that ships. node bench/panel.ts [rounds=10]
import { startEditor } from "../test/webview/support/fakeEditor.ts";

const rounds = Number(process.argv[2] ?? 10);
const editor = await startEditor();
try {
  for (const tab of ["run", "gallery", "runs"] as const) {
    const paints: number[] = [];
    const contents: number[] = [];
    const processor: number[] = [];
    for (let i = 0; i <= rounds; i++) {
      const started = performance.now();
      const panel = await editor.open({ tab });
      const content = performance.now() - started;
      const paint = await panel.page.waitForFunction(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
      );
      const session = await panel.page.context().newCDPSession(panel.page);
      await session.send("Performance.enable");
      const { metrics } = await session.send("Performance.getMetrics");
      const used = metrics.find(({ name }) => name === "ProcessTime")?.value;
      if (i > 0) {
        contents.push(content);
        paints.push((await paint.jsonValue()) ?? Number.NaN);
        if (used !== undefined) processor.push(1000 * used);
      }
      await panel.close();
    }
    const of = (values: number[], q: number) =>
      values.toSorted((a, b) => a - b)[Math.round(q * (values.length - 1))]?.toFixed(0) ?? "none";
    console.log(
      `${tab}: first contentful paint p50 ${of(paints, 0.5)} ms, p95 ${of(paints, 0.95)} ms; page opened and content there p50 ${of(contents, 0.5)} ms, p95 ${of(contents, 0.95)} ms; processor of the page p50 ${of(processor, 0.5)} ms`,
    );
  }
} finally {
  await editor.close();
}
