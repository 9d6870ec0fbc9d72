// docs/commands.md: commands and settings of the editor from package.json, commands of `leaf` from what they say of themselves.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { groups } from "../../src/cli/commands.ts";
import { describeCommand } from "../../src/cli/described.ts";

/** @typedef {import("../../src/cli/described.ts").Described} Described */

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const words = JSON.parse(readFileSync("package.nls.json", "utf8"));
/** @param {string} text */
const said = (text) => text.replace(/%([\w.]+)%/g, (_, key) => words[key]);
/** @param {string} text */
const cell = (text) =>
  text
    .replaceAll("|", "\\|")
    .replaceAll("\n", " ")
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith("`") ? part : part.replaceAll("<", "&lt;")))
    .join("");

export async function commandsPage() {
  return `# Commands and settings

\`npm run docs\` writes this page from \`package.json\` and from the command line itself.

## Commands of the editor

Open the command palette (Ctrl+Shift+P, on a Mac Cmd+Shift+P) and type LEAF.

| command | id | keys |
| --- | --- | --- |
${editorCommands().join("\n")}

## Settings

| setting | default | |
| --- | --- | --- |
${settings().join("\n")}

## leaf

Every command takes \`--config FILE\`, \`--json\` and \`--verbose\`. Exit codes and output: [command line](command-line.md).

${(await described()).map(commandText).join("\n")}`;
}

/** Commands that the palette hides belong to a view's menu. */
function editorCommands() {
  const { commands, menus, keybindings } = manifest.contributes;
  const hidden = new Set(
    menus.commandPalette
      .filter((/** @type {{ when: string }} */ one) => one.when === "false")
      .map((/** @type {{ command: string }} */ one) => one.command),
  );
  return commands
    .filter((/** @type {{ command: string }} */ { command }) => !hidden.has(command))
    .map((/** @type {{ command: string, title: string }} */ { command, title }) => {
      const key = keybindings.find((/** @type {{ command: string }} */ one) => one.command === command)?.key;
      return `| LEAF: ${said(title)} | \`${command}\` | ${key ? `\`${key}\`` : ""} |`;
    });
}

function settings() {
  return Object.entries(manifest.contributes.configuration.properties).map(([name, one]) => {
    const choices = (one.enum ?? []).map((/** @type {string} */ value, /** @type {number} */ i) => {
      const about = one.enumDescriptions?.[i];
      return ` \`${value}\`${about ? `: ${said(about)}` : ";"}`;
    });
    const about = said(one.markdownDescription ?? one.description) + choices.join("");
    return `| \`${name}\` | \`${JSON.stringify(one.default)}\` | ${cell(about)} |`;
  });
}

/** @returns {Promise<Described[]>} */
export async function described() {
  const program = new Command("leaf");
  for (const group of groups)
    (await group.load())(program, () => async () => {}, new AbortController().signal);
  return describeCommand(program).commands;
}

/** @param {Described} command @returns {string} */
function commandText(command) {
  return texts(command, "leaf").join("\n");
}

/** @param {Described} command @param {string} before @returns {string[]} */
function texts(command, before) {
  const name = `${before} ${command.name}`;
  const rows = [...command.arguments, ...command.options.map((one) => ({ ...one, term: one.flags }))].map(
    ({ term, description, choices }) =>
      `| ${cell(`\`${term}\``)} | ${cell(description)}${choices ? ` (${choices.join(", ")})` : ""} |`,
  );
  const table = rows.length > 0 ? `\n\n| | |\n| --- | --- |\n${rows.join("\n")}` : "";
  const heading = before === "leaf" ? "###" : "####";
  const own = `${heading} ${name}\n\n${sentence(cell(command.description))}${table}\n`;
  return [own, ...command.commands.flatMap((one) => texts(one, name))];
}

/** @param {string} text */
const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.)?]$/.test(text) ? "" : "."}`;
