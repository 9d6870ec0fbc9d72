// After `npm run docs:build`: every link and picture of the built site leads to a file of it, and every anchor to an id of its page.
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

const site = "docs/.vitepress/dist";
const pages = new Map(
  globSync("**/*.html", { cwd: site }).map((page) => [page, readFileSync(path.join(site, page), "utf8")]),
);
const wrong = [...pages].flatMap(([page, html]) =>
  [...html.matchAll(/<a [^>]*href="([^"]+)"|<img [^>]*src="([^"]+)"/g)]
    .map((found) => found[1] ?? found[2] ?? "")
    // To other sites, and to files of a repository that is not named (LEAF_REPOSITORY).
    .filter((link) => !/^([a-z]+:|(\.\/)?\.\.\/)/.test(link) && !leads(page, link))
    .map((link) => `${page}: ${link}`),
);
console.log(
  `${pages.size} pages, ${wrong.length} links that lead nowhere${wrong.map((one) => `\n  ${one}`).join("")}`,
);
if (pages.size < 10 || wrong.length > 0) process.exit(1);

/** @param {string} page @param {string} link */
function leads(page, link) {
  const [target = "", anchor] = link.split("#");
  const base = target === "" ? page : path.join(target.startsWith("/") ? "" : path.dirname(page), target);
  const file = [base, `${base}.html`, path.join(base, "index.html")]
    .map((one) => path.normalize(one).replace(/^[\\/]+/, ""))
    .find((one) => existsSync(path.join(site, one)) && statSync(path.join(site, one)).isFile());
  return file !== undefined && (!anchor || (pages.get(file) ?? "").includes(`id="${decodeURI(anchor)}"`));
}
