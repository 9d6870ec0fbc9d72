import { escapeHtml } from "../../words/escape.ts";

/** Markup that is safe to put into a page as it is. Only `html` makes it. */
export interface Html {
  readonly markup: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

/** A template whose values are escaped, but for markup that it made itself; lists are joined, nothing is written for null and false. */
export function html(parts: TemplateStringsArray, ...values: Value[]): Html {
  let markup = parts[0]!;
  for (const [i, value] of values.entries()) markup += render(value) + parts[i + 1]!;
  return { markup };
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (typeof value === "string" || typeof value === "number") return escapeHtml(String(value));
  if ("markup" in value) return value.markup;
  return value.map(render).join("");
}

/** Text from files whose direction must not turn what stands around it. */
export function name(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** An empty header: rows that name themselves. */
export function table(header: Value[], rows: Value[][]): Html {
  const head =
    header.length > 0 && html`<thead><tr>${header.map((cell) => html`<th>${cell}</th>`)}</tr></thead>`;
  return html`<div class="wide"><table>
${head}
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

/** A part of the page; nothing where it has nothing to say. */
export function section(title: string, ...content: Value[]): Html {
  return html`<section><h2>${title}</h2>${content}</section>`;
}

/** A colour of the page's style beside what it stands for, never apart. */
export function key(colour: "blue" | "orange", text: string): Html {
  return html`<span class="keyed"><span class="key" style="background:var(--${colour})"></span>${text}</span> `;
}
