import * as Plot from "@observablehq/plot";

export * from "@observablehq/plot";

/**
 * Observable Plot's SVG without its style element, which the page's content security policy would refuse; `leaf-chart` has the same
 * rules. Colours are inherited from the editor.
 */
export function drawPlot(options: Plot.PlotOptions): SVGSVGElement {
  const drawn = Plot.plot({ ...options, figure: false } as Plot.PlotOptions) as unknown as SVGSVGElement;
  for (const style of drawn.querySelectorAll("style")) style.remove();
  return drawn;
}
