import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CommanderError } from "commander";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../../src/cli/exitCodes.ts";
import { reportError, wantsJson } from "../../../src/cli/report.ts";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { during, explained, failureOf } from "../../../src/engine/base/unexpected.ts";
import type { Project } from "../../../src/engine/config/project.ts";
import { allFailures, failuresIn, readFailures } from "../../../src/engine/failures/list.ts";
import { failureLines } from "../../../src/engine/failures/words.ts";
import type { ItemFailure } from "../../../src/protocol/failures.ts";
import { failureFacts } from "../../../src/server/facts.ts";
import { errorOfProcess } from "../../../src/server/leafCommand.ts";
import { quoted, say } from "../../../src/words/text.ts";

const root = mkdtempSync(path.join(tmpdir(), "leaf-failures-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;
const folder = () => path.join(root, String(made++));

const point = (file: string, reason: string): ItemFailure => ({ kind: "point", file, reason });

describe("a list of failures", () => {
  it("keeps all of any number in its file, and little of them in memory", async () => {
    const failure = fc.record({
      kind: fc.constantFrom("point" as const, "pair" as const, "row" as const),
      file: fc.string({ unit: "grapheme" }),
      reason: fc.oneof(fc.constantFrom("HTTP 400", "it is broken"), fc.string({ unit: "grapheme" })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 60 }), async (told) => {
        const dir = folder();
        const list = failuresIn(dir);
        for (const one of told) list.add(one);
        const summary = await list.finish();
        if (told.length === 0) {
          expect(summary).toBeUndefined();
          expect(await readFailures(dir)).toBeUndefined();
          return;
        }
        expect(summary!.total).toBe(told.length);
        const all = await allFailures(summary!);
        expect(all.map(({ file, kind }) => ({ file, kind }))).toEqual(
          told.map(({ file, kind }) => ({ file, kind })),
        );
        expect(all.slice(0, 10)).toEqual(summary!.first);
        const counted = summary!.reasons.reduce((sum, { count }) => sum + count, 0);
        expect(counted).toBeLessThanOrEqual(told.length);
        if (summary!.reasons.length < 10) expect(counted).toBe(told.length);
        expect(failureLines(summary!).length).toBeLessThanOrEqual(16);
        expect(await readFailures(dir)).toEqual(summary);
      }),
      { numRuns: 60 },
    );
  });

  it("names the first ten, counts equal reasons and says where the rest is", async () => {
    const dir = folder();
    const list = failuresIn(dir);
    for (let i = 0; i < 598; i++) list.add(point(`photos/${i}.jpg`, "the server answers HTTP 400"));
    list.add(point("photos/x.jpg", "x.jpg: the JPEG data is truncated."));
    const lines = failureLines((await list.finish())!, dir);
    expect(lines[0]).toBe("598 of 599: the server answers HTTP 400");
    expect(lines.slice(1, 11)).toEqual(
      Array.from({ length: 10 }, (_, i) => `photos/${i}.jpg: the server answers HTTP 400`),
    );
    expect(lines.slice(11)).toEqual(["… and 589 more: failures.jsonl"]);
    const last = readFileSync(path.join(dir, "failures.jsonl"), "utf8").trim().split("\n").at(-1)!;
    // The decoder's own mention of the name would keep equal reasons apart.
    expect(JSON.parse(last)).toEqual(point("photos/x.jpg", "the JPEG data is truncated"));
  });

  it("goes away with the next work in which nothing fails, and leaves no temporary file", async () => {
    const dir = folder();
    const first = failuresIn(dir);
    first.add(point("a.jpg", "broken"));
    await first.finish();
    const discarded = failuresIn(dir);
    for (let i = 0; i < 2500; i++) discarded.add(point("b.jpg", "broken"));
    discarded.discard();
    expect(readdirSync(dir).sort()).toEqual(["failures.json", "failures.jsonl"]);
    expect((await readFailures(dir))!.total).toBe(1);
    expect(await failuresIn(dir).finish()).toBeUndefined();
    expect(readdirSync(dir)).toEqual([]);
  });

  it("still tells what failed where its file cannot be written, or was damaged", async () => {
    const blocked = folder();
    writeFileSync(blocked, "a file where the folder should be");
    const list = failuresIn(blocked);
    for (let i = 0; i < 2500; i++) list.add(point(`${i}.jpg`, "broken"));
    const summary = (await list.finish())!;
    expect(summary).toMatchObject({ total: 2500, file: null });
    expect(failureLines(summary).at(-1)).toBe("… and 2,490 more");
    const dir = folder();
    mkdirSync(dir);
    for (const text of ["{", "[]", "null", '{"total": 3}', '{"total": "x", "first": [], "reasons": []}']) {
      writeFileSync(path.join(dir, "failures.json"), text);
      expect(await readFailures(dir), text).toBeUndefined();
    }
  });
});

describe("whatever is thrown", () => {
  const errno = (code: string, syscall: string, file?: string) =>
    Object.assign(new Error(`${code}: oh, ${syscall}`), { code, syscall, path: file });

  it.each([
    [errno("ENOSPC", "write", "/p/x"), "failed", "Cannot write /p/x: no space is left on the disk."],
    [errno("EIO", "read", "/p/x"), "failed", "Cannot read /p/x: the disk failed to read or write."],
    [errno("ENOTDIR", "scandir", "/p/x"), "failed", /^Cannot read \/p\/x: a part of its path is a file/],
    [errno("ENOENT", "spawn python3", "python3"), "failed", "Cannot start python3: it does not exist."],
    [
      Object.assign(new Error("database is locked"), { code: "ERR_SQLITE_ERROR", errcode: 5 }),
      "failed",
      /another process is writing/,
    ],
    [
      Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 }),
      "failed",
      /no space is left on the disk/,
    ],
    [
      Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 522 }),
      "failed",
      /the disk failed to read or write/,
    ],
    [
      new RangeError("Array buffer allocation failed"),
      "failed",
      "There is not enough memory while it worked.",
    ],
    [new RangeError("Invalid string length"), "failed", "There is not enough memory while it worked."],
    [new DOMException("This operation was aborted", "AbortError"), "cancelled", "Cancelled."],
    [
      new TypeError("x is not a function"),
      "internal",
      "Something went wrong in LEAF itself while it worked: x is not a function",
    ],
    ["a string", "internal", "Something went wrong in LEAF itself while it worked: a string"],
    [undefined, "internal", /while it worked/],
  ])("%s is told as %s", (thrown, code, message) => {
    const failure = failureOf(thrown);
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    if (code === "failed") expect(failure.remedy).toBeTruthy();
  });

  it("says what was being done and on which file, the innermost of it", async () => {
    const work = during(say`labelling`, undefined, () =>
      during(say`reading`, "photos/a.jpg", () => Promise.reject(new TypeError("oh"))),
    );
    const error = await work.catch((thrown: unknown) => explained(thrown, { doing: say`it worked` }));
    expect(error).toMatchObject({ file: "photos/a.jpg" });
    expect((error as Error).message).toBe(
      "Something went wrong in LEAF itself while reading (photos/a.jpg): oh",
    );
  });
});

describe("the command line's last word", () => {
  async function reported(thrown: unknown, argv: string[], dir = root) {
    let [out, err] = ["", ""];
    const code = await reportError(
      thrown,
      { argv, root: dir, terminal: false },
      { out: (text) => (out += text), err: (text) => (err += text) },
    );
    return { code, out, err };
  }

  it("is one JSON document with kind, sentence, place and remedy, and one sentence for people", async () => {
    const error = new LeafError("config", quoted("leaf.yaml:3: unknown key `x`."), {
      file: "/p/leaf.yaml",
      line: 3,
      remedy: quoted("Remove it."),
    });
    const { code, out, err } = await reported(error, ["label", "--json"]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({
      error: {
        kind: "config",
        message: "leaf.yaml:3: unknown key `x`.",
        file: "/p/leaf.yaml",
        line: 3,
        remedy: "Remove it.",
      },
    });
    expect(err).toBe("leaf: leaf.yaml:3: unknown key `x`.\n  Remove it.\n");
    expect((await reported(error, ["label"])).out).toBe("");
    // What the server makes of it is the same error.
    expect(errorOfProcess({ stdout: out, stderr: "leaf: anything" }, "label")).toMatchObject({
      code: "config",
      message: error.message,
      file: "/p/leaf.yaml",
      line: 3,
      remedy: "Remove it.",
    });
  });

  it("also of wrong usage, which commander has told people", async () => {
    const { code, out } = await reported(new CommanderError(1, "x", "error: unknown option '--x'"), [
      "run",
      "--json",
    ]);
    expect([code, JSON.parse(out)]).toEqual([
      2,
      { error: { kind: "usage", message: "unknown option '--x'" } },
    ]);
    expect((await reported(new CommanderError(0, "help", "(outputHelp)"), ["--help"])).code).toBe(0);
    expect(wantsJson(["score", "--", "--json"])).toBe(false);
  });

  it("names what failed, first ten on stderr and all in the document", async () => {
    const list = failuresIn(folder());
    for (let i = 0; i < 30; i++) list.add(point(`${i}.jpg`, "broken"));
    const failures = (await list.finish())!;
    const { out, err } = await reported(
      new LeafError("failed", say`None.`, { failures, result: { scores: [] } }),
      ["score", "--json"],
    );
    expect(err.split("\n").filter((line) => /^ {2}\d+\.jpg: broken$/.test(line))).toHaveLength(10);
    const document = JSON.parse(out);
    expect(document.failed).toHaveLength(30);
    expect(document).toMatchObject({ scores: [], failures: { total: 30 } });
  });

  it("logs a bug of LEAF's own with its stack, and without a project prints the stack", async () => {
    const dir = folder();
    mkdirSync(path.join(dir, ".leaf"), { recursive: true });
    const bug = () => new TypeError("x is not a function");
    const { code, err } = await reported(bug(), ["label", "photos/secret.jpg"], dir);
    expect(code).toBe(1);
    expect(err).toContain("leaf: something went wrong in LEAF itself while");
    expect(err).toMatch(/Please report it with the log .*errors\.log\./);
    const log = readFileSync(path.join(dir, ".leaf", "errors.log"), "utf8");
    expect(log).toMatch(/: leaf label\n.*TypeError: x is not a function\n\s+at /s);
    expect(log).not.toContain("secret.jpg");
    expect((await reported(bug(), ["label"], folder())).err).toContain("list.test.ts");
  });

  it("tells of a process without a document how it ended", () => {
    for (const stdout of ["", "{", "null", '{"error": {}}', "[]"])
      expect([
        errorOfProcess({ stdout, stderr: "warning: x\nKilled\n", code: null, signal: "SIGKILL" }, "select")
          .message,
        errorOfProcess({ stdout, stderr: "", code: 134, signal: null }, "select").message,
      ]).toEqual([
        "`leaf select` ended by SIGKILL, without a result.",
        "`leaf select` ended with 134, without a result.",
      ]);
  });
});

describe("in Problems", () => {
  it("a stage has one line at its own section, however much failed", () => {
    const project = { configFile: "/p/leaf.yaml" } as Project;
    const first = Array.from({ length: 10 }, (_, i) => point(`photos/${i}.jpg`, "it is broken"));
    const failures = { total: 1_000_000, first, reasons: [], file: null };
    const facts = failureFacts(project, [
      { stage: "label", state: "fresh", key: "k", failures },
      { stage: "distill", state: "fresh", key: "k" },
      { stage: "evaluate", state: "failed", key: "k", failures },
    ]);
    expect(facts.map(({ path, severity }) => [path, severity])).toEqual([
      [["label"], "warning"],
      [["evaluate"], "error"],
    ]);
    expect(facts[0]!.message).toBe(
      "label: 1,000,000 failed. photos/0.jpg: it is broken; photos/1.jpg: it is broken; photos/2.jpg: it is broken; and 999,997 more",
    );
    expect(facts[0]!.fix).toMatchObject({
      command: "leaf.showFailures",
      arguments: [expect.anything(), "label"],
    });
  });
});

describe("docs/command-line.md", () => {
  it("tells the exit codes that there are", () => {
    const text = readFileSync("docs/command-line.md", "utf8");
    const told = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(told).toEqual([...new Set([0, ...Object.values(exitCodes)])].sort((a, b) => a - b));
  });
});
