// The site of docs/: `npm run docs:build`. Pages that the contents below do not name stand under "More".
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const pages = fileURLToPath(new URL("..", import.meta.url));
const sections = {
  Start: ["getting-started", "demo", "editor", "python", "glossary", "faq"],
  Understand: ["concepts", "method", "scores", "embedded-teacher"],
  Use: ["teachers", "datasets", "experiments", "serving", "reproduce", "troubleshooting"],
  Reference: ["config", "commands", "command-line"],
  Background: ["architecture", "security", "scale", "performance"],
};
const listed = new Set(Object.values(sections).flat());
const more = readdirSync(pages)
  .filter((name) => name.endsWith(".md"))
  .map((name) => name.slice(0, -3))
  .filter((name) => name !== "index" && !listed.has(name));

/** A page's heading. @param {string} name */
const item = (name) => ({
  text: /^# (.+)$/m.exec(readFileSync(`${pages}/${name}.md`, "utf8"))?.[1] ?? name,
  link: `/${name}`,
});

/** Where the repository is, is known to who publishes the site. */
const repository = process.env.LEAF_REPOSITORY;

/** Files beside docs/ are linked to in the repository. @param {any} md */
function linkRepository(md) {
  md.core.ruler.push("repository", (/** @type {any} */ { tokens }) => {
    for (const link of tokens.flatMap((/** @type {any} */ one) => one.children ?? [])) {
      const href = link.type === "link_open" ? link.attrGet("href") : "";
      if (repository && href.startsWith("../"))
        link.attrSet("href", `${repository}/blob/main/${href.slice(3)}`);
    }
  });
}

export default {
  title: "LEAF",
  description: "An image quality model for your own images",
  cleanUrls: true,
  // Files of the repository are no pages; test/docs/links.test.ts looks at all links.
  ignoreDeadLinks: [/^(\.\/)?\.\.\//],
  // Pages are Markdown alone: a `<word>` is no tag.
  markdown: { html: false, config: linkRepository },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    sidebar: Object.entries({ ...sections, ...(more.length > 0 && { More: more }) }).map(([text, names]) => ({
      text,
      items: names.map(item),
    })),
  },
};
