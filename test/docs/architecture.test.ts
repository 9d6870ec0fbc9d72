import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { importable, rooms } from "../../scripts/rooms.js";
import type { Project } from "../../src/engine/config/project.ts";
import { openForScan } from "../../src/engine/dataset/index/file.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { writeLabelSnapshot } from "../../src/engine/labels/snapshot.ts";
import { openScores } from "../../src/engine/scoring/scores.ts";
import { openFeatureStore } from "../../src/engine/selection/featureStore.ts";
import { hostMethods } from "../../src/extension/panel/gate.ts";
import { panelMethods } from "../../src/protocol/panel.ts";
import { requestParams } from "../../src/protocol/schema/server.ts";
import { studentCard } from "../../src/protocol/schema/student.ts";

const folder = mkdtempSync(path.join(tmpdir(), "leaf-architecture-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = readFileSync("docs/architecture.md", "utf8");
const sections = new Map(
  text.split(/^## /m).map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n"))]),
);
const codeIn = (part: string) => [...part.matchAll(/`([^`]+)`/g)].map((found) => found[1]!);

/** Rows of the table of a section whose head begins with a cell. */
function table(section: string, head: string): string[][] {
  const rows = sections
    .get(section)!
    .split("\n")
    .map((line) => (line.startsWith("|") ? line.split("|").slice(1, -1) : []))
    .map((cells) => cells.map((cell) => cell.trim()));
  const start = rows.findIndex(([first]) => first === head);
  expect(start, `no table ${head} in ${section}`).toBeGreaterThan(-1);
  const after = rows.slice(start + 2);
  return after.slice(
    0,
    after.findIndex((row) => row.length === 0),
  );
}

test("the rooms of the table are those of scripts/rooms.js, in their order, and what they may import", () => {
  const rows = table("The rooms", "room");
  expect(rows.map(([room]) => room)).toEqual(rooms.map((room) => `\`${room}\``));
  const engine = rooms.filter((room) => room.startsWith("engine/"));
  for (const [cell, , files, may] of rows) {
    const room = codeIn(cell!)[0]!;
    const shorthand: Record<string, string[]> = {
      nothing: [],
      "all above": rooms.slice(0, rooms.indexOf(room)),
    };
    const told =
      shorthand[may!] ??
      may!.split(", ").flatMap((one) => (one === "all of `engine`" ? engine : codeIn(one)));
    expect(told, room).toEqual(importable(room));
    const at = room === "webview" ? room : `src/${room}`;
    expect(codeIn(files!).filter((file) => !existsSync(path.join(at, file)))).toEqual([]);
  }
});

/** A path of the repository, or the name of a source file, which then must be a whole path. */
const isPath = (code: string) =>
  /^(src|webview|test|scripts|assets|tools|bench|demo|docs|bin|l10n)(\/|$)|\.(ts|js|py)$/.test(code) &&
  !/^\/|[<{]/.test(code);
/** Made by `npm run demo` and by tests in a browser. */
const made = ["demo/workspace", "test/.screenshots"];

test.each(globSync("{README,CONTRIBUTING,docs/*,tools/*/*}.md").map((file) => file.replaceAll("\\", "/")))(
  "every path that %s names is there",
  (file) => {
    // Names that are short, of a room or of requests, are looked at where their tables are.
    const whole = readFileSync(file, "utf8")
      .replace(/```[\s\S]*?```/g, "")
      .replace(/^\|.*$/gm, (row) =>
        /^(leaf\/|engine\/)/.test(codeIn(row)[0] ?? "") || isRoom(row) ? "" : row,
      );
    const words = codeIn(whole).flatMap((code) => code.split(" "));
    const paths = words.filter((code) => isPath(code) && !made.includes(code));
    if (file === "docs/architecture.md") expect(paths.length).toBeGreaterThan(80);
    const base = path.dirname(file);
    const there = (one: string) => [one, path.join(base, one)].some((at) => globSync(at).length > 0);
    expect(paths.filter((one) => !there(one))).toEqual([]);
  },
);

const isRoom = (row: string) => rooms.includes(codeIn(row)[0] ?? "");

const entries = ["src/engine/scoring/main.ts"];

interface Step {
  file: string;
  name: string;
  /** What comes next is in another process. */
  last: boolean;
}

function steps(section: string): Step[] {
  const items = sections
    .get(section)!
    .split(/^\d+\. /m)
    .slice(1);
  return items.map((item) => {
    const found = /^`([^`]+)` `(\w+)(?:\(\))?`: /.exec(item);
    expect(found, item).not.toBeNull();
    return { file: found![1]!, name: found![2]!, last: item.includes("**Another process**") };
  });
}

/** Files of the repository that a file imports. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, "utf8");
  if (file.endsWith(".py"))
    return [...source.matchAll(/^\s*from leaf\.([\w.]+) import/gm)].map(
      (found) => `src/python/leaf/${found[1]!.replaceAll(".", "/")}.py`,
    );
  return [...source.matchAll(/from\s*"(\.[^"]+)"/g)].map((found) =>
    path.posix.join(path.posix.dirname(file), found[1]!),
  );
}

test.each(["From a file to its hover", "From a preference to the loss"])(
  "each step of the walk %s is a function that is there, tied by an import to one before it in its process",
  (section) => {
    const walk = steps(section);
    expect(walk.length).toBeGreaterThan(20);
    for (const [at, { file, name }] of walk.entries()) {
      const source = readFileSync(file, "utf8");
      const exported = entries.includes(file) || file.endsWith(".py") ? "" : "export ";
      expect(source, `${file}: ${name}`).toMatch(
        new RegExp(`^${exported}(?:async )?(?:function\\*?|interface|def|class) ${name}\\b`, "m"),
      );
      if (at === 0 || walk[at - 1]!.last) continue;
      const before = walk.slice(0, at).map((one) => one.file);
      const tied = before.some((other) => importsOf(other).includes(file) || importsOf(file).includes(other));
      expect(tied, `${file} has nothing to do with ${before.at(-1)}`).toBe(true);
    }
    // As the text counts them.
    const changes = sections.get(section)!.match(/\*\*[^*]+ become(s)? [^*]+\*\*/g)!.length;
    const told = /changes (three|four) times/.exec(sections.get(section)!)![1];
    expect(changes).toBe(told === "three" ? 3 : 4);
  },
);

test("the inputs of each stage are those that changes.ts explains, which are all there are", () => {
  const source = readFileSync("src/engine/pipeline/changes.ts", "utf8");
  const told = /const told[^=]*= \{\n([\s\S]*?)\n\};/.exec(source)![1]!;
  const stages = [...told.matchAll(/^ {2}(\w+): \{\n([\s\S]*?)^ {2}\},/gm)].map(([, stage, body]) => [
    stage,
    [...body!.matchAll(/^ {4}(\w+): \{/gm)].map((found) => found[1]),
  ]);
  expect(stages.length).toBe(4);
  const rows = table("The pipeline is a plan", "stage").map(([stage, inputs]) => [
    codeIn(stage!)[0],
    codeIn(inputs!.replace(/\([^)]*\)/g, "")),
  ]);
  expect(rows).toEqual(stages);
});

test("every file of .leaf/ that the table names is named by the code that writes it", () => {
  const files = globSync(["src/**/*.ts", "src/python/leaf/**/*.py"]);
  const sources = files.map((file) => readFileSync(file, "utf8")).join("\n");
  const named = table("What `.leaf/` holds", "file").flatMap(([file, what]) => [
    ...codeIn(file!),
    ...codeIn(what!).filter((code) => /^[\w.]+\.\w+$|^\w+\/$/.test(code)),
  ]);
  expect(named.length).toBeGreaterThan(40);
  // `running.lock.json` and `errors.log.1` are made of another name and an ending.
  const parts = named.flatMap((name) => name.replace(/(\.lock)\.json$|\.1$/, "$1").split(/\/|<[^>]+>/));
  const isWritten = (part: string) => new RegExp(`["\`/}]${RegExp.escape(part)}["\`/$]`).test(sources);
  expect([...new Set(parts)].filter((part) => part !== "" && !isWritten(part))).toEqual([]);
});

test("the columns of the stores are those that LEAF makes", () => {
  const at = (name: string) => path.join(folder, name);
  const labels = openLabels(at("labels.sqlite"));
  const selection = { teacher: "none", images: new Set<string>(), pairs: [], minConfidence: null };
  writeLabelSnapshot(labels, at("snapshot.sqlite"), selection);
  labels.close();
  openForScan(at("index.sqlite")).close();
  openScores(at("scores.sqlite")).close();
  openFeatureStore({ cache: folder } as Project, "features").close();
  const stores = {
    "`labels.sqlite`": "labels.sqlite",
    "a stage's `labels.sqlite`": "snapshot.sqlite",
    "`index-<images>.sqlite`": "index.sqlite",
    "`scores.sqlite`": "scores.sqlite",
    "`features/<student>.sqlite`": "features/features.sqlite",
  };
  const made = Object.entries(stores).flatMap(([name, file]) =>
    tablesOf(at(file)).map(([one, columns]) => [name, one, columns]),
  );
  const told = table("What `.leaf/` holds", "store").map(([store, one, columns]) => [
    store,
    codeIn(one!)[0],
    codeIn(columns!),
  ]);
  expect(told).toEqual(made);
});

function tablesOf(file: string): [string, string[]][] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const names = db
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
      )
      .all()
      .map(({ name }) => String(name));
    return names.map((name) => [
      name,
      db
        .prepare("SELECT name FROM pragma_table_info(?)")
        .all(name)
        .map((column) => String(column.name)),
    ]);
  } finally {
    db.close();
  }
}

test("the fields of student.json and the outputs of student.onnx are those of the contract", () => {
  const fields = table("A student", "`student.json`").map(([field]) => codeIn(field!)[0]);
  expect(fields).toEqual(Object.keys(studentCard.shape));
  const inner = table("A student", "`student.json`").map(([, type]) => codeIn(type!));
  const { input, mosScale, domain, provenance } = studentCard.shape;
  expect(inner[fields.indexOf("input")]).toEqual(Object.keys(input.shape));
  expect(inner[fields.indexOf("mosScale")]).toEqual(Object.keys(mosScale.unwrap().shape));
  expect(inner[fields.indexOf("domain")]).toEqual(Object.keys(domain.unwrap().unwrap().shape));
  expect(inner[fields.indexOf("provenance")]).toEqual(Object.keys(provenance.shape));
  const outputs = /self\.names = (.*)/.exec(readFileSync("src/python/leaf/export.py", "utf8"))![1]!;
  const composing = readFileSync("src/python/leaf/head/compose.py", "utf8");
  // What it writes anew has the same names.
  const added = composing.replaceAll(/make_tensor_value_info\("(score|map|pixels)"/g, "");
  expect(table("A student", "in or out").map(([name]) => codeIn(name!)[0])).toEqual([
    "pixels",
    ...[...outputs.matchAll(/"(\w+)"/g)].map((found) => found[1]),
    ...[...added.matchAll(/make_tensor_value_info\("(\w+)"/g)].map((found) => found[1]),
  ]);
});

test("every request and notification is listed, with the file that answers it and whether the panel may ask", () => {
  const rows = table("Server protocol", "request");
  const methods = rows.map(([method]) => codeIn(method!)[0]!);
  expect([...methods].sort()).toEqual(Object.keys(requestParams).sort());
  expect(methods.filter((_, at) => rows[at]![3] === "yes").sort()).toEqual([...panelMethods].sort());
  const unanswered = rows.filter(([method, , file]) => {
    const source = readFileSync(path.join("src/server/requests", codeIn(file!)[0]!), "utf8");
    return !source.includes(`answer("${codeIn(method!)[0]}"`);
  });
  expect(unanswered).toEqual([]);
  const notified = table("Server protocol", "notification").map(([method]) => codeIn(method!)[0]!);
  const protocol = readFileSync("src/protocol/server.ts", "utf8");
  const told = ["ServerNotifications", "ClientNotifications"].flatMap((name) => {
    const body = new RegExp(`interface ${name} \\{([\\s\\S]*?)\\n\\}`).exec(protocol)![1]!;
    return [...body.matchAll(/"(leaf\/\w+)"/g)].map((found) => found[1]);
  });
  expect(notified).toEqual(told);
  const host = codeIn(sections.get("Server protocol")!).filter((code) => code.startsWith("host/"));
  expect(host).toEqual([...hostMethods]);
});
