import { existsSync, globSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

/** VitePress' own (@mdit-vue/shared), which is installed for the site alone. */
const slugify = (text: string) =>
  text
    .normalize("NFKD")
    .replace(/[\u0300-\u036F]/g, "")
    .replace(/[\s~`!@#$%^&*()\-_+=[\]{}|\\;:"'“”‘’<>,.?/]+/g, "-")
    .replace(/-{2,}/g, "-")
    .replace(/^-+|-+$/g, "")
    .replace(/^(\d)/, "_$1")
    .toLowerCase();

const pages = globSync("{*,docs/*,demo/photos/*,src/python/iqa/*,tools/*/*,test/fixtures/*/*}.md")
  .map((file) => file.replaceAll("\\", "/"))
  .sort();
const textOf = (file: string) => readFileSync(file, "utf8").replace(/```[\s\S]*?```|`[^`\n]*`/g, "");

/** A heading's anchor as GitHub makes it, where the site makes the same: a link needs both. */
function anchor(heading: string): string {
  const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");
  const ofGitHub = plain
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
  return ofGitHub === slugify(plain) ? ofGitHub : `on the site: ${slugify(plain)}`;
}

function anchorsOf(file: string): Set<string> {
  const whole = readFileSync(file, "utf8").replace(/```[\s\S]*?```/g, "");
  const found = new Set<string>();
  for (const [, heading] of whole.matchAll(/^#{1,6} (.+)$/gm)) {
    const base = anchor(heading!.trim());
    let name = base;
    for (let n = 1; found.has(name); n++) name = `${base}-${n}`;
    found.add(name);
  }
  return found;
}

interface Link {
  target: string;
  hash: string;
}

/** Links and pictures that lead to no other site. */
const linksOf = (file: string): Link[] =>
  [...textOf(file).matchAll(/\]\(([^)\s]+)\)|<(?:img|a) [^>]*(?:src|href)="([^"]+)"/g)]
    .map((found) => (found[1] ?? found[2])!)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [target, hash = ""] = link.split("#") as [string, string?];
      return { target: target === "" ? file : path.posix.join(path.posix.dirname(file), target), hash };
    });

test("there are pages to look at", () => {
  expect(pages.length).toBeGreaterThan(20);
  expect(pages.flatMap(linksOf).length).toBeGreaterThan(60);
});

test.each(pages)("every link of %s leads somewhere", (file) => {
  const wrong = linksOf(file).filter(
    ({ target, hash }) =>
      !existsSync(target) || (hash !== "" && target.endsWith(".md") && !anchorsOf(target).has(hash)),
  );
  expect(wrong).toEqual([]);
});

test("the site's contents name pages that are there", () => {
  const config = readFileSync("docs/.vitepress/config.js", "utf8");
  const listed = [...config.matchAll(/^ {2}\w+: \[(.*)\],$/gm)].flatMap((found) =>
    [...found[1]!.matchAll(/"([\w-]+)"/g)].map(([, name]) => `docs/${name}.md`),
  );
  expect(listed.length).toBeGreaterThan(15);
  expect(listed.filter((file) => !existsSync(file))).toEqual([]);
});

test("the README's pictures ship in the .vsix", () => {
  const allowed = readFileSync(".vscodeignore", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .flatMap((line) => globSync(line.slice(1)));
  const shipped = allowed.map((file) => file.replaceAll("\\", "/"));
  const pictures = [...readFileSync("README.md", "utf8").matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)];
  expect(pictures.length).toBeGreaterThan(0);
  expect(pictures.map((found) => found[1]!).filter((file) => !shipped.includes(file))).toEqual([]);
});
