/**
 * Text that Markdown shows as it is, on one line. Marks of ASCII are escaped, which the CommonMark standard allows, but for those
 * that never mean anything, so that figures stay readable.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim()
    .replace(/(?<!\d)\.|\.(?!\d)|^=|[!#$&(-+\-:<>@[-`{-~]/g, "\\$&");
}

/** For text and for quoted attributes. Control characters, which no page may hold, are shown as such. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"'`]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replace(/[^\P{Cc}\t\n\r]/gu, "\ufffd");
}

/** The target of a Markdown link or picture: brackets, quotes and blanks would end it early, a bar its address. */
export function markdownTarget(address: string): string {
  return address.replace(
    /[()<>'"|\\\s!*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0").toUpperCase()}`,
  );
}

/** A link that runs a command with plain JSON arguments. */
export function commandLink(title: string, command: string, ...args: unknown[]): string {
  return `[${title}](command:${command}?${markdownTarget(encodeURIComponent(JSON.stringify(args)))})`;
}

/** The rows of a Markdown table, whose cells are Markdown already. */
export function markdownTable(header: string[], rows: string[][], align = header.map(() => "---")): string {
  return [header, align, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const latexCharacters: Record<string, string> = {
  "\\": "\\textbackslash{}",
  "{": "\\{",
  "}": "\\}",
  $: "\\$",
  "&": "\\&",
  "#": "\\#",
  "%": "\\%",
  _: "\\_",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  '"': "\\textquotedbl{}",
  "±": "$\\pm$",
  "−": "$-$",
  "–": "--",
  Δ: "$\\Delta$",
  "*": "$^{*}$",
  "[": "{[}",
  "]": "{]}",
};

/** Text that LaTeX sets as it is, on one line; signs of figures become its own. */
export function escapeLatex(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\{}$&#%_~^<>|"±−–Δ*[\]]/g, (one) => latexCharacters[one]!);
}
