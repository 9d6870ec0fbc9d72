const properties = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-opacity",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "color",
  "font-family",
  "font-size",
  "font-weight",
  "text-anchor",
  "visibility",
];

/** The text of an SVG file that looks as this one does in the panel: the editor's colours are written out. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [shown, copied] = [
    [svg, ...svg.querySelectorAll("*")],
    [copy, ...copy.querySelectorAll("*")],
  ];
  for (const [at, element] of shown.entries()) {
    const style = getComputedStyle(element);
    const parent = element === svg ? undefined : getComputedStyle(element.parentElement!);
    const target = copied[at]!;
    for (const property of properties) {
      const value = style.getPropertyValue(property);
      if (target.hasAttribute(property) || value !== parent?.getPropertyValue(property))
        target.setAttribute(property, value);
    }
    target.removeAttribute("style");
    target.removeAttribute("class");
  }
  const { width, height } = svg.viewBox.baseVal;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  paper.setAttribute("width", String(width));
  paper.setAttribute("height", String(height));
  paper.setAttribute("fill", getComputedStyle(document.body).backgroundColor);
  copy.prepend(paper);
  return new XMLSerializer().serializeToString(copy);
}
