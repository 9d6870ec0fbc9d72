import type { Range } from "../../words/figure.ts";
import { scoreFigure } from "../../words/score.ts";
import type { ReportData, ShownImage } from "./data.ts";
import { type Html, html, name, section } from "./html.ts";

/** The ends of the scale, and where the student is most wrong. */
export function imagesSection({ images, range }: ReportData): Html | null {
  const groups: [string, ShownImage[]][] = [
    ["Lowest quality", images.worst],
    ["Highest quality", images.best],
    ["Furthest from the MOS", images.mostWrong],
  ];
  const shown = groups.filter(([, some]) => some.length > 0);
  if (shown.length === 0) return null;
  return section(
    "Images",
    shown.map(
      ([title, some]) =>
        html`<h3>${title}</h3><div class="images">${some.map((one) => figureOf(one, range))}</div>`,
    ),
  );
}

function figureOf({ path, score, mos, picture }: ShownImage, range: Range): Html {
  const shown = picture
    ? html`<img src="${picture}" alt="">`
    : html`<span class="gone">no longer there</span>`;
  return html`<figure>${shown}<figcaption>score <b>${scoreFigure(score, range)}</b>${mos !== null && html`, MOS ${scoreFigure(mos, range)}`}<span class="file" title="${path}">${name(path)}</span></figcaption></figure>`;
}
