import { escapeHtml } from "../../words/escape.ts";
import { tabTitles } from "../../words/titles.ts";
import type { Translate } from "../../words/translate.ts";

/** The panel's page. Everything in it comes from the extension's own folder; scripts run by the nonce alone. */
export function panelHtml(page: {
  nonce: string;
  cspSource: string;
  script: string;
  styles: string[];
  title: string;
  language: string;
  /** As `panelOutline` makes it. */
  outline: string;
}): string {
  const csp = [
    "default-src 'none'",
    `img-src ${page.cspSource} data: blob:`,
    `font-src ${page.cspSource}`,
    `style-src ${page.cspSource} 'nonce-${page.nonce}'`,
    `script-src 'nonce-${page.nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const styles = page.styles.map((href) => `<link rel="stylesheet" href="${escapeHtml(href)}">`);
  return `<!DOCTYPE html>
<html lang="${escapeHtml(page.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(csp)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta property="csp-nonce" content="${page.nonce}">
<title>${escapeHtml(page.title)}</title>
${styles.join("\n")}
</head>
<body>
${page.outline}
<script type="module" nonce="${page.nonce}" src="${escapeHtml(page.script)}"></script>
</body>
</html>
`;
}

/** What stands where the tabs come until the page's script has run; nothing where no tabs will come. */
export function panelOutline(t: Translate, projects: readonly { name: string }[]): string {
  const [project] = projects;
  if (!project) return "";
  const tabs = Object.values(tabTitles(t)).map((title) => `<span>${escapeHtml(title)}</span>`);
  const name = `<div class="project">${escapeHtml(project.name)}</div>`;
  return `<div id="outline" aria-hidden="true"><div class="tabs">${tabs.join("")}</div>${name}</div>`;
}
