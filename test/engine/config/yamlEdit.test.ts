import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { flowText, yamlText } from "../../../src/engine/config/yamlDocument.ts";
import {
  addBehind,
  appendItems,
  applyEdits,
  type Edit,
  removeKey,
  renameKey,
  setValue,
} from "../../../src/engine/config/yamlEdit.ts";

// A config is made of chunks, one for each key, whose layout is anybody's. An edit of one leaves the others byte for byte.

interface Chunk {
  key: string;
  value: unknown;
  text: string;
}

const word = fc.constantFrom(
  "photos",
  "a b.jpg",
  "x: y",
  "#1",
  "ü,[x]",
  "'q\".png",
  "no",
  "1.50",
  "!a",
  "-",
  "",
);
const scalar = fc.oneof(
  word,
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const comment = fc.constantFrom("", " # why", '   # why: { not } "this"');
const between = fc.constantFrom("", "\n", "# kept: yes\n", "\n  # kept\n\n");
const values = fc.array(scalar, { minLength: 1, maxLength: 3 });
const names = fc.uniqueArray(fc.constantFrom("one", "two", "three", "a-b"), { minLength: 1, maxLength: 3 });

/** Layouts of a value behind its key, by what it is. */
function layouts(key: string): fc.Arbitrary<Chunk> {
  const plain = fc
    .tuple(scalar, comment)
    .map(([value, note]) => ({ key, value, text: `${key}: ${flowText(value)}${note}\n` }));
  const flowList = fc
    .tuple(values, comment)
    .map(([value, note]) => ({ key, value, text: `${key}: ${flowText(value)}${note}\n` }));
  const blockList = fc
    .tuple(values, fc.constantFrom("", "  ", "    "), comment)
    .map(([value, indent, note]) => ({
      key,
      value,
      text: `${key}:${note}\n${value.map((one) => `${indent}- ${flowText(one)}${note}\n`).join("")}`,
    }));
  const sections = fc
    .tuple(names, values, comment, fc.constantFrom("flow", "  ", "    "))
    .map(([keys, given, note, style]) => {
      const value = Object.fromEntries(keys.map((name, i) => [name, given[i % given.length]]));
      const lines = Object.entries(value).map(([name, one]) => `${style}${name}: ${flowText(one)}${note}\n`);
      const text =
        style === "flow" ? `${key}: ${flowText(value)}${note}\n` : `${key}:${note}\n${lines.join("")}`;
      return { key, value, text };
    });
  return fc.oneof(plain, flowList, blockList, sections);
}

interface World {
  before: string;
  chunk: Chunk;
  after: string;
  lineEnd: string;
  text: string;
  whole: Record<string, unknown>;
}

const world: fc.Arbitrary<World> = fc
  .record({
    chunks: fc.tuple(layouts("images"), layouts("mos"), layouts("split")),
    gaps: fc.tuple(between, between, between),
    at: fc.nat(2),
    lineEnd: fc.constantFrom("\n", "\r\n"),
  })
  .map(({ chunks, gaps, at, lineEnd }) => {
    const ended = (text: string) => text.replaceAll("\n", lineEnd);
    const texts = chunks.map(({ text }, i) => gaps[i] + text);
    const chunk = chunks[at]!;
    return {
      before: ended(texts.slice(0, at).join("") + gaps[at]),
      chunk: { ...chunk, text: ended(chunk.text) },
      after: ended(texts.slice(at + 1).join("")),
      lineEnd,
      text: ended(texts.join("")),
      whole: Object.fromEntries(chunks.map(({ key, value }) => [key, value])),
    };
  });

/** The others are as they were, and the whole says what it should; -0 is 0 in a text. */
function expectOnly({ before, after, text }: World, edits: Edit[], wanted: Record<string, unknown>): void {
  const edited = applyEdits(text, edits);
  expect(edited.startsWith(before), edited).toBe(true);
  expect(edited.endsWith(after), edited).toBe(true);
  expect(parse(edited)).toEqual(parse(JSON.stringify(wanted)));
  if (text.includes("\r\n")) expect(edited).not.toMatch(/(?<!\r)\n/);
  else expect(edited).not.toContain("\r");
}

const runs = { numRuns: 500 };
const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

describe("an edit changes only its key", () => {
  it("where a value is set", () => {
    fc.assert(
      fc.property(world, fc.oneof(scalar, values), (one, value) => {
        const edit = setValue(yamlText(one.text), [one.chunk.key], value);
        expectOnly(one, [edit!], { ...one.whole, [one.chunk.key]: value });
      }),
      runs,
    );
  });

  it("where a key of a section is set, made, renamed or removed", () => {
    const action = fc.constantFrom("set", "make", "rename", "remove");
    fc.assert(
      fc.property(world, action, scalar, (one, what, value) => {
        const { key, value: section } = one.chunk;
        fc.pre(isObject(section));
        const [name, ...rest] = Object.keys(section as Record<string, unknown>) as [string, ...string[]];
        const config = yamlText(one.text);
        const left = Object.fromEntries(
          rest.map((other) => [other, (section as Record<string, unknown>)[other]]),
        );
        const [edit, wanted] = {
          set: [setValue(config, [key, name], value), { ...left, [name]: value }],
          make: [setValue(config, [key, "made"], value), { ...(section as object), made: value }],
          rename: [
            renameKey(config, [key, name], "renamed"),
            { ...left, renamed: (section as Record<string, unknown>)[name] },
          ],
          remove: [removeKey(config, [key, name]), left],
        }[what] as [Edit, object];
        expectOnly(one, [edit], { ...one.whole, [key]: wanted });
      }),
      runs,
    );
  });

  it("where a key is removed with all of its lines", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { [one.chunk.key]: _, ...wanted } = one.whole;
        expectOnly(one, [removeKey(yamlText(one.text), [one.chunk.key])!], wanted);
      }),
      runs,
    );
  });

  it("where a list goes on", () => {
    fc.assert(
      fc.property(world, fc.array(word, { minLength: 1, maxLength: 30 }), (one, more) => {
        const { key, value } = one.chunk;
        fc.pre(Array.isArray(value) || typeof value === "string");
        const edits = appendItems(yamlText(one.text), [key], more);
        expectOnly(one, edits!, { ...one.whole, [key]: [value, more].flat() });
      }),
      runs,
    );
  });

  it("where a section is written behind another", () => {
    fc.assert(
      fc.property(world, scalar, (one, value) => {
        const { key, text } = one.chunk;
        const edit = addBehind(yamlText(one.text), key, { added: { value } });
        const edited = { ...one, before: one.before + text };
        expectOnly(edited, [edit!], { ...one.whole, added: { value } });
      }),
      runs,
    );
  });
});
