import type { ReportData, ShownImage } from "./data.ts";
import { type Html, html, name, section } from "./html.ts";

/** The ends of the scale, and where the student is most wrong. */
export function imagesSection({ images }: ReportData): Html | null {
  const groups: [string, ShownImage[]][] = [
    ["Lowest quality", images.worst],
    ["Highest quality", images.best],
    ["Furthest from the MOS", images.mostWrong],
  ];
  const shown = groups.filter(([, some]) => some.length > 0);
  if (shown.length === 0) return null;
  return section(
    "Images",
    shown.map(([title, some]) => html`<h3>${title}</h3><div class="images">${some.map(figureOf)}</div>`),
  );
}

function figureOf({ path, score, mos, picture }: ShownImage): Html {
  const shown = picture
    ? html`<img src="${picture}" alt="">`
    : html`<span class="gone">no longer there</span>`;
  return html`<figure>${shown}<figcaption>score <b>${score.toFixed(2)}</b>${mos !== null && html`, MOS ${mos.toFixed(2)}`}<span class="file" title="${path}">${name(path)}</span></figcaption></figure>`;
}
