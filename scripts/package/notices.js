// The licences of what the extension carries and others made: bundled packages, native ones, weights and photos.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/** Licences that may be shipped inside an extension under Apache-2.0. Another one is a decision of people, not of a script. */
const allowed = new Set(
  "MIT ISC 0BSD BSD-2-Clause BSD-3-Clause BlueOak-1.0.0 Unlicense Apache-2.0 CC-BY-4.0 LGPL-3.0 LGPL-3.0-or-later".split(
    " ",
  ),
);
const rule = "=".repeat(100);
/** @param {string} name */
const textOf = (name) => readFileSync(new URL(`./licences/${name}`, import.meta.url), "utf8");
const mit = textOf("MIT.txt");
/** What was compiled into a package, and its package does not tell. @type {Record<string, string[]>} */
const inside = { "@jsquash/jxl": ["jxl-parts.txt"], "libheif-js": ["heif-parts.txt", "GPL-3.0.txt"] };

/**
 * Folders of the packages that went into bundles, of what esbuild tells of them.
 * @param {import("esbuild").Metafile[]} metafiles @returns {string[]}
 */
export function bundledPackages(metafiles) {
  const folders = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.keys(inputs).flatMap((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
    ),
  );
  return [...new Set(folders)].sort();
}

/** @param {string} modules a `node_modules` folder @returns {string[]} */
export function packagesIn(modules) {
  return readdirSync(modules).flatMap((name) =>
    name.startsWith("@")
      ? readdirSync(path.join(modules, name)).map((one) => path.join(modules, name, one))
      : [path.join(modules, name)],
  );
}

/**
 * Throws where a package has no licence, or one that is not allowed.
 * @param {string[]} folders @returns {string}
 */
export function packageNotices(folders) {
  const notices = new Map(folders.map((folder) => notice(folder)));
  return [...notices]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `${rule}\n${name}\n${rule}\n\n${text.trim()}\n`)
    .join("\n");
}

/** @param {string} folder @returns {[name: string, text: string]} */
function notice(folder) {
  const { name, version, license, author, repository } = JSON.parse(
    readFileSync(path.join(folder, "package.json"), "utf8"),
  );
  const ids = String(license ?? "")
    .replace(/[()]/g, "")
    .split(/ (?:AND|OR) /);
  if (!ids.every((id) => allowed.has(id)))
    throw new Error(`${name} ${version} is under ${license}: may it be shipped?`);
  const source = typeof repository === "string" ? repository : repository?.url;
  const head = `${[license, source].filter(Boolean).join(", ")}\n\n`;
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[sc]e|notice|third.?party|copying)/i.test(file))
    .sort()
    .map((file) => readFileSync(path.join(folder, file), "utf8").trim());
  // The image library tells its parts and their licences in its README.
  if (ids.includes("LGPL-3.0-or-later"))
    texts.push(readFileSync(path.join(folder, "README.md"), "utf8").trim());
  texts.push(...(inside[name] ?? []).map((file) => textOf(file).trim()));
  if (texts.length === 0) texts.push(standardText(name, version, license, author));
  return [`${name} ${version}`, head + texts.join("\n\n")];
}

/** A package without a licence file: the text of the licence that it names. @param {string} name @param {string} version @param {string} license @param {any} author */
function standardText(name, version, license, author) {
  const holder = typeof author === "string" ? author : (author?.name ?? `the authors of ${name}`);
  if (license === "MIT") return mit.replace("{holder}", holder);
  throw new Error(`${name} ${version} has no licence file, and there is no text of ${license} here.`);
}

/** Weights and photos. */
export function contentNotices() {
  const { provenance } = JSON.parse(readFileSync("assets/embedded-teacher/teacher.json", "utf8"));
  const photos = provenance.photos.map(
    (/** @type {Record<string, string>} */ one) =>
      `- ${one.photo}, ${one.author}, ${one.licence} (${one.package})`,
  );
  const demo = readFileSync("demo/photos/README.md", "utf8").trim();
  return `${rule}
assets/embedded-teacher: weights
${rule}

${provenance.network}. Fitted on these photos, none of which is in it:

${photos.join("\n")}

${rule}
demo/photos
${rule}

${demo}
`;
}

/** The whole file. @param {string[]} folders */
export function thirdPartyNotices(folders) {
  const missing = folders.filter((folder) => !existsSync(folder));
  if (missing.length > 0) throw new Error(`Not installed: ${missing.join(", ")}.`);
  return `LEAF carries the work of others. What each is, and its licence:\n\n${contentNotices()}\n${packageNotices(folders)}`;
}
