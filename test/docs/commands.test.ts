import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { described } from "../../scripts/docs/commands.js";
import type { Described } from "../../src/cli/described.ts";
import { configJsonSchema } from "../../src/engine/config/config.ts";
import { experimentJsonSchema } from "../../src/engine/experiments/schema.ts";

// Commands are not run here: they are held against the commands, options and arguments that `leaf` itself describes.
// test/integration/documented.test.ts runs those of the shell blocks, or says why not.

const pages = globSync("{README,CONTRIBUTING,docs/*,src/python/iqa/*}.md").sort();
const commands = await described();
const root: Described = {
  name: "leaf",
  description: "",
  arguments: [],
  options: ["-c, --config <file>", "--json", "--verbose", "-V, --version", "-h, --help"].map((flags) => ({
    flags,
    description: "",
  })),
  commands: [...commands, { name: "help", description: "", arguments: [], options: [], commands: [] }],
};
/** Commands that only LEAF calls. */
const internal = ["job", "supervise", "teach"];

/** What stands in code: whole lines of blocks, and single words in a text. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```/gm)].flatMap(([, language, body]) =>
    language === "" || language === "sh" ? [body!] : [],
  );
  const lines = blocks.flatMap((block) => block.split("\n"));
  const inline = [...text.replace(/```[\s\S]*?```/g, "").matchAll(/`([^`]+)`/g)].map((found) =>
    found[1]!.replaceAll("\n", " "),
  );
  return [...lines.flatMap((line) => line.split(/&&|;|\|(?!\w)/)), ...inline]
    .map((line) => line.replace(/(^|\s)#.*$/, "").replace(/^\s*(\$ )?(npx --no-install |npm run )?/, ""))
    .map((line) => line.replaceAll("\\|", "|").trim())
    .filter((line) => /^leaf( |$)/.test(line));
}

/** Every reason why a command line is none. */
function faults(line: string): string[] {
  let at = root;
  const wrong: string[] = [];
  const allowed = new Map<string, boolean>();
  const know = (one: Described) => {
    for (const { flags } of one.options)
      for (const flag of flags.split(/[ ,]+/).filter((word) => word.startsWith("-")))
        allowed.set(flag, /[<[]/.test(flags));
  };
  know(root);
  const words = line.match(/"[^"]*"|'[^']*'|\S+/g)!.slice(1);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!.replace(/[,.…]+$/, "");
    if (word.startsWith("-") && word !== "-") {
      const [flag] = word.split("=") as [string];
      if (!allowed.has(flag)) wrong.push(`${line}: no option ${flag}`);
      else if (allowed.get(flag) && !word.includes("=")) i++;
      continue;
    }
    // `labels list|merge` names several.
    const names = word.split("|");
    const next = names.map((name) => at.commands.find((one) => one.name === name));
    if (next[0]) {
      at = next[0];
      know(at);
      if (next.includes(undefined)) wrong.push(`${line}: no command ${word}`);
    } else if (at === root && !internal.includes(word) && word !== "<command>" && word !== "")
      wrong.push(`${line}: no command ${word}`);
    else if (at !== root && at.commands.length > 0 && at.arguments.length === 0)
      wrong.push(`${line}: no command ${word}`);
    else if (at === root) return wrong;
  }
  return wrong;
}

test.each(pages)("every command and option of leaf in %s is there", (file) => {
  expect(commandsIn(readFileSync(file, "utf8")).flatMap(faults)).toEqual([]);
});

test("the check finds what is wrong", () => {
  expect(commandsIn("`leaf score --nope`, `leaf nope`\n```sh\nleaf env && leaf run\n```")).toHaveLength(4);
  expect(faults("leaf score --nope a.jpg")).toHaveLength(1);
  expect(faults("leaf nope")).toHaveLength(1);
  expect(faults("leaf labels nope")).toHaveLength(1);
  expect(faults("leaf export labels|nope")).toEqual([]);
  expect(faults("leaf -c a.leaf.yaml score photos --csv")).toEqual([]);
});

test("every npm script that the docs name is there", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = pages.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/npm run ([\w:]+)/g)].map((found) => found[1]!),
  );
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

type Schema = {
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  additionalProperties?: unknown;
};

/** All schemas that a value may have. */
const choices = (schema: Schema): Schema[] =>
  [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) =>
    one === schema ? [one] : choices(one),
  );
const inside = (schemas: Schema[], key: string): Schema[] =>
  schemas.flatMap((schema) => (schema.properties?.[key] ? choices(schema.properties[key]) : []));
/** Keys of the user's own: variables, columns, overrides. */
const isOpen = (schemas: Schema[]) => schemas.every(({ properties }) => properties === undefined);

function unknownKeys(value: unknown, schemas: Schema[], at: string): string[] {
  if (Array.isArray(value))
    return value.flatMap((one) =>
      unknownKeys(
        one,
        schemas.flatMap(({ items }) => (items ? choices(items) : [])),
        at,
      ),
    );
  if (typeof value !== "object" || value === null || isOpen(schemas)) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const next = inside(schemas, key);
    return next.length === 0 ? [`${at}${key}`] : unknownKeys(one, next, `${at}${key}.`);
  });
}

const config = choices(configJsonSchema() as Schema);
const experiment = choices(experimentJsonSchema() as Schema);

test.each(pages)("every config in %s has keys that are there", (file) => {
  const text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```/gm)].map(([, indent, body]) =>
    body!.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
  for (const block of blocks) {
    const documents = block.split(/\n(?=mos: )/).length > 2 ? block.trim().split("\n") : [block];
    for (const one of documents) {
      const value = parse(one);
      if (typeof value !== "object" || value === null) continue;
      const [whole, part] = [
        unknownKeys(value, config, ""),
        unknownKeys(value, inside(config, "teacher"), ""),
      ];
      const other = unknownKeys(value, experiment, "");
      // A part of `teacher:`, or an experiment, is a config of its own.
      const best = [whole, part, other].sort((a, b) => a.length - b.length)[0];
      expect(best, one).toEqual([]);
    }
  }
});

// Of Python's names `student.card` looks like a key.
test.each(pages.filter((file) => !file.startsWith("src")))(
  "every key that %s names with its section is there",
  (file) => {
    const sections = new Set(config.flatMap(({ properties }) => Object.keys(properties ?? {})));
    const text = readFileSync(file, "utf8").replace(/```[\s\S]*?```/g, "");
    const keys = [...text.matchAll(/`([a-z]\w*(?:\.\w+)+)(?::[^`]*)?`/g)]
      .map((found) => found[1]!)
      .filter(
        (key) => sections.has(key.split(".")[0]!) && !/\.(csv|yaml|json|onnx|sha256|py|ts|js|md)$/.test(key),
      );
    const wrong = keys.filter((key) => {
      let at = config;
      for (const part of key.split(".")) {
        if (at.length > 0 && isOpen(at)) return false;
        at = inside(at, part);
        if (at.length === 0) return true;
      }
      return false;
    });
    expect(wrong).toEqual([]);
  },
);
