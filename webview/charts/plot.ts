import type { PlotOptions } from "@observablehq/plot";
import type * as Library from "./plotLibrary.ts";

/** Observable Plot, once `loadPlot` is done: `leaf-chart` calls nobody who draws before. */
export let plot: typeof Library;
let loading: Promise<void> | undefined;

/** Nearly half of what the panel loads: a file of its own, fetched with the first chart. */
export function loadPlot(): Promise<void> {
  loading ??= import("./plotLibrary.ts").then((library) => {
    plot = library;
  });
  return loading;
}

/**
 * Observable Plot's SVG without its style element, which the page's content security policy would refuse; `leaf-chart` has the same
 * rules. Colours are inherited from the editor.
 */
export function drawPlot(options: PlotOptions): SVGSVGElement {
  const drawn = plot.plot({ ...options, figure: false } as PlotOptions) as unknown as SVGSVGElement;
  for (const style of drawn.querySelectorAll("style")) style.remove();
  return drawn;
}
