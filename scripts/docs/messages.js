// The table of docs/troubleshooting.md: every message with a remedy that the sources hold.
import { globSync, readFileSync } from "node:fs";

/** @typedef {{ code: string, message: string, remedy: string }} Message */

/** What each kind of error is, in the order of the page. */
const kinds = {
  usage: "The command line is wrong",
  config: "The config is wrong",
  consent: "Something must be approved first",
  input: "A file is wrong or missing",
  environment: "Something around LEAF is missing",
  failed: "The work did not succeed",
};

/** Headings and tables, a kind each. */
export function messageTables() {
  const all = messages();
  return Object.entries(kinds)
    .map(([code, title]) => {
      const rows = all
        .filter((one) => one.code === code)
        .map(({ message, remedy }) => `| ${message} | ${remedy} |`);
      return `### ${title} (\`${code}\`)\n\n| message | what to do |\n| --- | --- |\n${[...new Set(rows)].sort().join("\n")}\n`;
    })
    .join("\n");
}

/** @returns {Message[]} */
export function messages() {
  return globSync("src/{engine,cli,server}/**/*.ts")
    .sort()
    .flatMap((file) => messagesOf(readFileSync(file, "utf8")));
}

/** Errors made on the spot, and those that a table of recognisers makes of a server's log. @param {string} source @returns {Message[]} */
function messagesOf(source) {
  const starts = [...source.matchAll(/new \w*(?:LeafError|UndecodableImage)\(|\bkind: "\w+",\n/g)].map(
    ({ index }) => index,
  );
  return starts.flatMap((start, i) => {
    const part = source.slice(start, Math.min(starts[i + 1] ?? source.length, start + 1500));
    const code = /^[^(]*\(\s*"(\w+)"|^[\s\S]*?\bcode: "(\w+)"/.exec(part);
    const texts = [...part.matchAll(/say`((?:[^`\\]|\\[\s\S])*)`/g)];
    const message = texts.find((one) => !/remedy[^,;]*$/.test(part.slice(0, one.index)));
    const remedy = /remedy(?::|\([^)]*\):| =)[^;]*?say`((?:[^`\\]|\\[\s\S])*)`/.exec(part)?.[1];
    const kind = code?.[1] ?? code?.[2];
    if (!kind || !message?.[1] || !remedy) return [];
    const told = { code: kind, message: plain(message[1]), remedy: plain(remedy) };
    return isTold(told) ? [told] : [];
  });
}

/** Whether a reader can know it again: enough words of its own, and all of them found. @param {Message} one */
function isTold({ message, remedy }) {
  const letters = message.replace(/[^a-z]/gi, "").length;
  return (
    letters >= 12 && message !== remedy && !/^(Name|Run|Check) /.test(message) && !/[(:] ?…?$/.test(message)
  );
}

/** What is filled in becomes "…". @param {string} template */
function plain(template) {
  let text = "";
  for (let at = 0; at < template.length; at++) {
    if (template.startsWith("${", at)) {
      for (let open = 0; at < template.length; at++) {
        if (template[at] === "{") open++;
        else if (template[at] === "}" && --open === 0) break;
      }
      text += "…";
    } else if (template[at] === "\\") text += template[++at];
    else text += template[at];
  }
  return text
    .replaceAll("|", "\\|")
    .replaceAll("<", "&lt;")
    .replace(/\{(?=\{)/g, "{")
    .replace(/\s+/g, " ")
    .replace(/…[….]*…/g, "…")
    .trim();
}
