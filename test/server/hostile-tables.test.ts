import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { strToU8, zipSync } from "fflate";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CompletionItem, MessageConnection } from "vscode-languageserver/node";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// Tables that would take all memory, or never end, named by configs of one workspace in the built server.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
let connection: MessageConnection;
let stop: () => Promise<void>;
let projects: ProjectSnapshot[] = [];

const tables = {
  far: "far.xlsx",
  // Windows has neither.
  ...(process.platform === "win32" ? {} : { zero: "/dev/zero", pipe: "pipe.csv" }),
  endless: "endless.csv",
  good: "good.csv",
};
const configOf = (name: string) => uriOf(path.join(dir, `${name}.leaf.yaml`));
const projectOf = (name: string) => projects.find(({ config }) => config === configOf(name));

beforeAll(async () => {
  mkdirSync(path.join(dir, "photos"));
  await sharp({ create: { width: 64, height: 48, channels: 3, background: "red" } })
    .png()
    .toFile(path.join(dir, "photos/a.png"));
  writeFileSync(path.join(dir, "good.csv"), "image,mos\na.png,3\n");
  writeFileSync(path.join(dir, "endless.csv"), `image,mos\n"${"x".repeat(9e6)}`);
  writeFileSync(path.join(dir, "far.xlsx"), farCell());
  if ("pipe" in tables) execFileSync("mkfifo", [path.join(dir, "pipe.csv")]);
  for (const [name, file] of Object.entries(tables))
    writeFileSync(path.join(dir, `${name}.leaf.yaml`), `images: photos\nmos: { file: ${file} }\n`);
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      projects = told.projects;
      look();
    });
  }));
});
afterAll(async () => {
  await stop();
  remove();
});

/** 1.4 kB, with one cell at the far end of the sheet. */
function farCell(): Uint8Array {
  const office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const relations = (type: string, target: string) =>
    `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="${office}/${type}" Target="${target}"/></Relationships>`;
  const cell = (place: string) => `<c r="${place}" t="inlineStr"><is><t>image</t></is></c>`;
  const rows = `<row r="1">${cell("A1")}</row><row r="1048576">${cell("XFD1048576")}</row>`;
  const parts = {
    "_rels/.rels": relations("officeDocument", "xl/workbook.xml"),
    "xl/workbook.xml": `<workbook xmlns="${main}" xmlns:r="${office}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": relations("worksheet", "worksheets/sheet1.xml"),
    "xl/worksheets/sheet1.xml": `<worksheet xmlns="${main}"><sheetData>${rows}</sheetData></worksheet>`,
  };
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

test("each is told in a sentence, and the project beside them works", async () => {
  await until(() => projectOf("good")?.mos?.rated === 1);
  const others = Object.keys(tables).filter((name) => name !== "good");
  await until(() => others.every((name) => told(name) !== undefined));
  const rightOnes: Record<string, string> = {
    far: "far.xlsx has something in the cell XFD1048576: the sheet spans 1048576 rows and 16384 columns, more than the 32 million cells that LEAF reads.",
    zero: "Cannot read /dev/zero: it is a device, not a regular file.",
    pipe: `Cannot read ${path.join(dir, "pipe.csv")}: it is a pipe, not a regular file.`,
    endless: "endless.csv:2: the row is longer than 4 million characters, the most that LEAF reads.",
  };
  for (const name of others) expect(told(name)).toBe(rightOnes[name]);
  const page = await connection.sendRequest<{ rows: unknown[] }>("leaf/images", {
    config: configOf("good"),
    query: { sort: "path", descending: false, offset: 0, limit: 5 },
  });
  expect(page.rows).toHaveLength(1);
});

test("naming them while typing completes nothing and harms nothing", async () => {
  const uri = uriOf(path.join(dir, "typed.leaf.yaml"));
  const columns = async (file: string, version: number) => {
    const before = `images: photos\nmos: { file: ${file}, image: `;
    const contentChanges = [{ text: `${before} }\n` }];
    await connection.sendNotification("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges,
    });
    const found = await connection.sendRequest<CompletionItem[] | { items: CompletionItem[] } | null>(
      "textDocument/completion",
      { textDocument: { uri }, position: { line: 1, character: before.split("\n")[1]!.length } },
    );
    return (Array.isArray(found) ? found : (found?.items ?? [])).map(({ label }) => label);
  };
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "yaml", version: 1, text: "images: photos\n" },
  });
  for (const [i, name] of ["far", "zero", "pipe"].entries()) {
    const file = (tables as Record<string, string>)[name];
    if (file) expect(await columns(file, i + 2), name).not.toContain("mos");
  }
  // Its first row is a row.
  expect(await columns("endless.csv", 8)).toContain("mos");
  expect(await columns("good.csv", 9)).toEqual(expect.arrayContaining(["image", "mos"]));
});

/** Why a project cannot be used, once that is known. */
function told(name: string): string | undefined {
  const why = projectOf(name)?.invalid ?? undefined;
  return why === "Reading …" ? undefined : why;
}
