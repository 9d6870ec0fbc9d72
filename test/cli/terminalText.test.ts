import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { table } from "../../src/cli/context.ts";
import { progressReporter } from "../../src/cli/progress.ts";
import { terminalJson, terminalLine, terminalText } from "../../src/cli/terminalText.ts";
import { temporaryFolder } from "../support/pictures.ts";

/** Anything, and much of what a terminal obeys. */
const name = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "a",
      "é",
      "😀",
      "\x1b",
      "[31m",
      "]0;pwn",
      "\x07",
      "\r",
      "\n",
      "\t",
      "\x9b",
      "\x7f",
      "\u202e",
      "\u2028",
      "\ud800",
      "\udc00",
    ),
  }),
);
const obeyed = (text: string) =>
  [...text].filter((letter) => {
    const code = letter.codePointAt(0)!;
    return (
      (code < 0x20 && letter !== "\n") ||
      (code >= 0x7f && code <= 0x9f) ||
      (code >= 0xd800 && code <= 0xdfff) ||
      /[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/.test(letter)
    );
  });

describe("what is printed", () => {
  it("holds nothing that a terminal obeys, whatever the names", () => {
    fc.assert(
      fc.property(name, (text) => {
        expect(obeyed(terminalText(text))).toEqual([]);
        expect(terminalLine(text)).not.toContain("\n");
        expect(obeyed(table(["name"], [[text]]))).toEqual([]);
        expect(table(["name"], [[text]]).split("\n")).toHaveLength(3);
        const json = terminalJson({ [text]: text });
        expect(obeyed(json)).toEqual([]);
        expect(JSON.parse(json)).toEqual({ [text]: text });
      }),
      { numRuns: 500 },
    );
  });

  it("says all else as it is, and each of these by its number", () => {
    const plain = "ä €, 文字 👩‍👩‍👧 – 12 % · ok\nnext";
    expect(terminalText(plain)).toBe(plain);
    expect(terminalText("\x1b[31mred\x1b]0;pwn\x07\u202egpj.exe\x9b2J\t\r")).toBe(
      "\\x1b[31mred\\x1b]0;pwn\\x07\\u202egpj.exe\\x9b2J\\t\\r",
    );
    expect(terminalText("\ud83d \ude00 😀")).toBe("\\ud83d \\ude00 😀");
  });

  it("shows progress without a name's own codes: the bar's are the only ones", () => {
    fc.assert(
      fc.property(name, fc.boolean(), (step, isTTY) => {
        let written = "";
        const stream = { isTTY, columns: 80, write: (text: string) => (written += text) };
        const reporter = progressReporter(stream as unknown as NodeJS.WriteStream);
        reporter.report({ stage: "label", step, done: 1, total: 3, unit: "images" });
        reporter.end();
        expect(obeyed(written.replace("\r\x1b[K", ""))).toEqual([]);
      }),
    );
  });

  it("by the command itself: keys of a config, files and arguments of any name", () => {
    const cli = path.join(import.meta.dirname, "../../dist/cli.js");
    const dir = temporaryFolder();
    writeFileSync(path.join(dir, "leaf.yaml"), 'images: photos\n"\\e[31mred\\e]0;pwn\\a": 1\n');
    const evil = "\x1b[2J\u202e";
    const run = (...args: string[]) => {
      const { stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: dir, encoding: "utf8" });
      return stdout + stderr;
    };
    for (const args of [
      ["check"],
      [evil],
      ["check", "-c", evil],
      ["score", evil, "--student", evil],
      ["status", `--${evil}`],
    ]) {
      const said = run(...args);
      expect(said).toMatch(/\\x1b\[(31m|2J)/);
      expect(obeyed(said)).toEqual([]);
    }
  }, 30_000);
});
