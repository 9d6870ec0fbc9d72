// What a .vsix may and must hold, checked on the file that is published.
import { unzipSync } from "fflate";

/** Largest size of a package, in MiB: what ships today and some room. A jump is something that slipped in. */
const mostMiB = 60;
const must = [
  "extension.vsixmanifest",
  "extension/package.json",
  "extension/readme.md",
  "extension/changelog.md",
  "extension/LICENSE.txt",
  "extension/ThirdPartyNotices.txt",
  "extension/bin/leaf.js",
  "extension/assets/embedded-teacher/model.onnx",
  "extension/dist/extension.cjs",
  "extension/dist/server.js",
  "extension/dist/scorer.js",
  "extension/dist/cli.js",
  "extension/dist/commands.json",
  "extension/dist/webview/panel.js",
  "extension/src/python/leaf/train.py",
  "extension/src/python/requirements.txt",
];
const may =
  /^(\[Content_Types\]\.xml|extension\.vsixmanifest|extension\/(assets|bin|demo\/photos|dist|l10n|media|src\/python)\/.+|extension\/(LICENSE\.txt|ThirdPartyNotices\.txt|readme\.md|changelog\.md|package(\.nls(\.[a-z-]+)?)?\.json))$/;
/** Of no use to a user, or not for them. */
const never = /\.(map|pyc|sqlite|vsix|tgz|pem|key)$|(^|\/)(\.env|\.npmrc|\.git|__pycache__|tests?)(\/|$)/;

/**
 * Every reason not to publish a package; none: it is as it should be.
 * @param {Uint8Array} vsix @param {{ target: string, version: string }} wanted @returns {string[]}
 */
export function faultsOf(vsix, { target, version }) {
  const faults = [];
  const mib = vsix.length / 2 ** 20;
  if (mib > mostMiB) faults.push(`It is ${mib.toFixed(1)} MiB; ${mostMiB} are the most.`);
  /** @type {Record<string, Uint8Array>} */
  let files;
  try {
    files = unzipSync(vsix);
  } catch (error) {
    return [...faults, `It is no zip file: ${error instanceof Error ? error.message : error}.`];
  }
  const names = Object.keys(files).filter((name) => !name.endsWith("/"));
  for (const name of must) if (!(name in files)) faults.push(`${name} is missing.`);
  for (const name of names) {
    if (!may.test(name) || never.test(name)) faults.push(`${name} should not be in it.`);
    const platform = platformOf(name);
    if (platform && platform !== target) faults.push(`${name} is for ${platform}.`);
  }
  for (const part of ["onnxruntime-node", "@img/sharp"])
    if (!names.some((name) => name.includes(part) && name.endsWith(".node") && platformOf(name) === target))
      faults.push(`${part} has no binary for ${target}.`);
  const text = (/** @type {string} */ name) => new TextDecoder().decode(files[name] ?? new Uint8Array());
  const told = { manifest: "extension/package.json", vsix: "extension.vsixmanifest" };
  if (files[told.manifest] && JSON.parse(text(told.manifest)).version !== version)
    faults.push(`${told.manifest} is not of version ${version}.`);
  if (files[told.vsix] && !text(told.vsix).includes(`TargetPlatform="${target}"`))
    faults.push(`${told.vsix} is not for ${target}.`);
  return faults;
}

/** Of a native file's path, in VS Code's words. @param {string} name */
function platformOf(name) {
  const found =
    /onnxruntime-node\/bin\/[^/]+\/([^/]+)\/([^/]+)\//.exec(name) ??
    /@img\/sharp(?:-libvips)?-([a-z0-9]+)-([a-z0-9]+)\//.exec(name);
  return found ? `${found[1]}-${found[2]}` : undefined;
}

/** Why these files are not the one wheel of leaf-iqa of this version. @param {readonly string[]} files @param {string} version */
export function wheelFault(files, version) {
  const wheel = `leaf_iqa-${version}-py3-none-any.whl`;
  if (files.length !== 1 || files[0] !== wheel)
    return `The folder of the wheel should hold ${wheel} alone, and holds ${files.join(", ") || "nothing"}.`;
  return undefined;
}

/**
 * The section of a version in the changelog, without its heading.
 * @param {string} changelog @param {string} version
 */
export function notesOf(changelog, version) {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((one) => one.split(/[\s(]/, 1)[0] === version);
  return found?.slice(found.indexOf("\n") + 1).trim();
}
