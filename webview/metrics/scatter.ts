import type { EvaluationView } from "../../src/protocol/server.ts";
import { figure, signed } from "../../src/words/figure.ts";
import { colorOf, ink, quiet } from "../charts/palette.ts";
import { drawPlot, plot } from "../charts/plot.ts";
import type { Host } from "../host.ts";

export type Point = EvaluationView["points"][number];

export interface Scatter {
  svg: SVGSVGElement;
  /** Rings the point; −1 for none. */
  mark(index: number): void;
  /** The point nearest to a place on the screen, within a finger's width; −1 for none. */
  nearest(clientX: number, clientY: number): number;
}

const [left, bottom, histogram, gap] = [48, 44, 44, 8];
const svgNamespace = "http://www.w3.org/2000/svg";

/** Predicted score against MOS, with the logistic fit, the line of equality, and a histogram along each axis. */
export function drawScatter(width: number, view: EvaluationView, text: Host["text"]): Scatter {
  const { points, fit, range } = view;
  const domain = domainOf(points, range);
  const side = Math.min(width - histogram, 520);
  const height = Math.max(260, Math.min(side * 0.86, 440));
  const scales = { x: { domain }, y: { domain }, marginLeft: left, marginBottom: bottom };
  const bins = Array.from({ length: 25 }, (_, at) => domain[0] + ((domain[1] - domain[0]) * at) / 24);

  const main = drawPlot({
    ...scales,
    width: width - histogram,
    height,
    marginTop: gap,
    marginRight: gap,
    marks: [
      plot.gridX({ stroke: quiet, strokeOpacity: 0.3 }),
      plot.gridY({ stroke: quiet, strokeOpacity: 0.3 }),
      plot.axisX({
        label: text("student's score, on the MOS scale {0}–{1}", ...range),
        labelArrow: "none",
        labelAnchor: "center",
        ticks: 6,
        color: ink,
      }),
      plot.axisY({
        label: text("MOS, {0}–{1}", ...range),
        labelArrow: "none",
        labelAnchor: "center",
        ticks: 6,
        color: ink,
      }),
      plot.line(
        [
          [domain[0], domain[0]],
          [domain[1], domain[1]],
        ],
        { stroke: quiet, strokeDasharray: "4 4" },
      ),
      plot.dot(points, {
        x: "score",
        y: "mos",
        r: points.length > 1500 ? 2 : 3,
        fill: colorOf(0),
        fillOpacity: points.length > 400 ? 0.45 : 0.7,
        stroke: "none",
        title: (point: Point) => hint(point, text),
      }),
      fit ? plot.line(fit, { stroke: colorOf(1), strokeWidth: 2 }) : null,
    ],
  });
  const top = drawPlot({
    ...scales,
    width: width - histogram,
    height: histogram,
    marginTop: 2,
    marginBottom: 0,
    marginRight: gap,
    y: { axis: null },
    x: { domain, axis: null },
    marks: [
      plot.rectY(
        points,
        plot.binX({ y: "count" }, {
          x: { value: "score", thresholds: bins },
          fill: colorOf(0),
          fillOpacity: 0.5,
        } as never),
      ),
      plot.ruleY([0], { stroke: quiet }),
    ],
  });
  const right = drawPlot({
    ...scales,
    width: histogram,
    height,
    marginTop: gap,
    marginLeft: 0,
    marginRight: 2,
    x: { axis: null },
    y: { domain, axis: null },
    marks: [
      plot.rectX(
        points,
        plot.binY({ x: "count" }, {
          y: { value: "mos", thresholds: bins },
          fill: colorOf(0),
          fillOpacity: 0.5,
        } as never),
      ),
      plot.ruleX([0], { stroke: quiet }),
    ],
  });
  const svg = compose(width, height + histogram, [
    [top, 0, 0],
    [main, 0, histogram],
    [right, width - histogram, histogram],
  ]);
  return { svg, ...pointing(svg, main) };
}

const hint = ({ path, score, mos }: Point, text: Host["text"]) =>
  `${path}\n${text("score {0} · MOS {1} · error {2}", figure(score, 2), figure(mos, 2), signed(score - mos, 2))}`;

function domainOf(points: readonly Point[], range: [number, number]): [number, number] {
  let [low, high] = range;
  for (const { score, mos } of points) {
    low = Math.min(low, score, mos);
    high = Math.max(high, score, mos);
  }
  const margin = (high - low) * 0.03;
  return [low - margin, high + margin];
}

function compose(
  width: number,
  height: number,
  parts: [SVGSVGElement, x: number, y: number][],
): SVGSVGElement {
  const svg = document.createElementNS(svgNamespace, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", String(width));
  svg.setAttribute("height", String(height));
  svg.setAttribute("fill", "currentColor");
  for (const [part, x, y] of parts) {
    part.setAttribute("x", String(x));
    part.setAttribute("y", String(y));
    svg.append(part);
  }
  return svg;
}

function pointing(svg: SVGSVGElement, main: SVGSVGElement): Pick<Scatter, "mark" | "nearest"> {
  const circles = [...main.querySelectorAll<SVGCircleElement>('[aria-label="dot"] circle')];
  const places = circles.map((circle) => [circle.cx.baseVal.value, circle.cy.baseVal.value] as const);
  const ring = document.createElementNS(svgNamespace, "circle");
  for (const [name, value] of Object.entries({ r: "7", fill: "none", stroke: ink, "stroke-width": "2" }))
    ring.setAttribute(name, value);
  return {
    mark(index) {
      const place = places[index];
      if (!place) return ring.remove();
      ring.setAttribute("cx", String(place[0]));
      ring.setAttribute("cy", String(place[1]));
      main.append(ring);
    },
    nearest(clientX, clientY) {
      const box = svg.getBoundingClientRect();
      const scale = svg.viewBox.baseVal.width / box.width;
      const [x, y] = [
        (clientX - box.left) * scale - main.x.baseVal.value,
        (clientY - box.top) * scale - main.y.baseVal.value,
      ];
      let [best, distance] = [-1, 14 ** 2];
      places.forEach(([cx, cy], index) => {
        const far = (cx - x) ** 2 + (cy - y) ** 2;
        if (far < distance) [best, distance] = [index, far];
      });
      return best;
    },
  };
}
