import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  Diagnostic,
  Hover,
  MessageConnection,
} from "vscode-languageserver/node";
import type { ConsentView } from "../../src/protocol/consent.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { render } from "../../src/words/text.ts";
import { makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { pseudo, pseudoBundle, untranslated } from "../support/pseudoLocale.ts";
import { conditions, startServer } from "./startServer.ts";

const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
let connection: MessageConnection;
let stop: () => Promise<void>;
let projects: ProjectSnapshot[] = [];
const published = new Map<string, Diagnostic[]>();
const config = uriOf(path.join(dir, "leaf.yaml"));

beforeAll(async () => {
  await makeWorkspace(dir, 12);
  const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  writeFileSync(path.join(dir, "photos", "broken.png"), whole.subarray(0, 60));
  writeFileSync(
    path.join(dir, "mos.csv"),
    `${readFileSync(path.join(dir, "mos.csv"), "utf8")}nowhere.png,3\nnobody.png,2\n`,
  );
  mkdirSync(path.join(dir, "other"));
  writeFileSync(
    path.join(dir, "other", "leaf.yaml"),
    "images: far/away\nteacher: { kind: openai, serve: { model: m, command: [run, me], env: { MODE: fast } } }\n",
  );
  writeFileSync(path.join(dir, "two.experiment.yaml"), "base: leaf.yaml\nseeds: [0, 1]\n");
  ({ connection, stop } = await startServer(
    dir,
    (one) => {
      one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
        projects = told.projects;
        look();
      });
      one.onNotification("textDocument/publishDiagnostics", ({ uri, diagnostics }) => {
        published.set(uri, diagnostics);
        look();
      });
    },
    process.env,
    { bundle: pseudoBundle },
  ));
  await until(() => projects.some((one) => one.config === config && one.images !== null));
});
afterAll(async () => {
  await stop();
  remove();
});

let version = 0;
/** What the editor shows of a config's text, all of it. */
async function diagnosticsOf(uri: string, text: string): Promise<Diagnostic[]> {
  const known = published.has(uri);
  published.delete(uri);
  await connection.sendNotification(known ? "textDocument/didChange" : "textDocument/didOpen", {
    textDocument: { uri, languageId: "yaml", version: ++version, text },
    contentChanges: [{ text }],
  });
  await until(() => published.has(uri));
  return published.get(uri)!;
}

const bad = (texts: (string | undefined | object)[], ...own: RegExp[]) =>
  texts.flatMap((text) => {
    const left = untranslated(typeof text === "string" ? text : "", ...own);
    return left.length > 0 ? [`${left.join(" ")} ← ${text}`] : [];
  });

test("problems and their fixes are said in the editor's language", async () => {
  for (const text of [
    readFileSync(path.join(dir, "leaf.yaml"), "utf8"),
    "images: photos\ndistil: { epochs: 3 }\n",
    "images: 3\nlabel: { pairsPerImage: many, minConfidence: 7 }\nsplit: { test: 0.9, val: 0.9 }\n",
    "images: photos\nimages: photos\n",
    "images: photos\n\tlabel: {}\n",
    "teacher: { kind: openai }\nstudent: { input: { resize: 10, crop: 20 } }\n",
    "images: photos\n---\na: b\n",
  ]) {
    const found = await diagnosticsOf(config, text);
    expect(found.length, text).toBeGreaterThan(0);
    // What the decoder said is its own.
    expect(
      bad(
        found.map(({ message }) => message),
        /PNG|Input buffer has corrupt header/g,
      ),
    ).toEqual([]);
    const fixes = await connection.sendRequest<CodeAction[]>("textDocument/codeAction", {
      textDocument: { uri: config },
      range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
      context: { diagnostics: [] },
    });
    // What a fix writes is code.
    expect(
      bad(
        fixes.map(({ title }) => title),
        /(?<=⟦Use ⟧).*/,
      ),
    ).toEqual([]);
  }
});

test("what a config would run is asked for in the editor's language", async () => {
  const other = uriOf(path.join(dir, "other", "leaf.yaml"));
  const { items } = await connection.sendRequest<ConsentView>("leaf/consent", {
    config: other,
    work: "label",
  });
  expect(items).toHaveLength(1);
  expect(
    bad(
      items.flatMap(({ title, details }) => [title, ...details]),
      /run me|MODE=fast/g,
    ),
  ).toEqual([]);
});

test("hovers and completions say what keys are in the editor's language", async () => {
  const keys = "images mos split teacher label student distill calibrate evaluate python".split(" ");
  const text = keys.map((key) => `${key}: \n`).join("");
  await diagnosticsOf(config, text);
  const seen: string[] = [];
  for (const [line, key] of keys.entries()) {
    const hover = await connection.sendRequest<Hover | null>("textDocument/hover", {
      textDocument: { uri: config },
      position: { line, character: 1 },
    });
    seen.push((hover!.contents as { value: string }).value);
    const items = await connection.sendRequest<CompletionItem[]>("textDocument/completion", {
      textDocument: { uri: config },
      position: { line, character: key.length + 2 },
    });
    for (const { detail, documentation } of items)
      seen.push(detail ?? "", (documentation as { value: string } | undefined)?.value ?? "");
  }
  expect(seen.length).toBeGreaterThan(20);
  expect(bad(seen)).toEqual([]);
});

test("lenses and the project's words are in the editor's language", async () => {
  const text = readFileSync(path.join(dir, "leaf.yaml"), "utf8");
  await diagnosticsOf(config, text);
  const experiment = uriOf(path.join(dir, "two.experiment.yaml"));
  await diagnosticsOf(experiment, "base: leaf.yaml\nseeds: [0, 1]\n");
  const lenses = async (uri: string) =>
    connection.sendRequest<CodeLens[]>("textDocument/codeLens", { textDocument: { uri } });
  const titles = [...(await lenses(config)), ...(await lenses(experiment))].map(
    ({ command }) => command?.title,
  );
  expect(titles.length).toBeGreaterThan(4);
  expect(bad(titles)).toEqual([]);
  expect(
    bad(
      projects.flatMap(({ invalid, scorer }) => [invalid ?? "", scorer ? render(scorer.title, pseudo) : ""]),
    ),
  ).toEqual([]);
});

test("what is refused is refused in the editor's language, with the way out", async () => {
  const requests: [string, object][] = [
    ["leaf/pinRun", { config, run: "r7", pinned: true }],
    ["leaf/runConfig", { config, run: "../r1" }],
    ["leaf/start", { config: uriOf(path.join(dir, "gone.yaml")), kind: "run" }],
    ["leaf/experimentText", { experiment: uriOf(path.join(dir, "two.experiment.yaml")), format: "markdown" }],
    ["leaf/newConfig", { folder: uriOf(path.join(dir, "far/away")) }],
    ["leaf/rate", { config, hash: "0".repeat(32), rating: 9 }],
    ["leaf/export", { config, what: "student", out: uriOf(path.join(dir, "mos.csv")) }],
    ["leaf/report", { config, out: uriOf(path.join(dir, "report.html")) }],
  ];
  for (const [method, params] of requests) {
    const data = await connection.sendRequest(method, params).then(
      () => undefined,
      (error: { data?: { message: string; remedy?: string } }) => error.data,
    );
    expect(data, method).toBeDefined();
    expect(bad([data!.message, data!.remedy], /leaf\/\w+/g), method).toEqual([]);
  }
});

test("an image's hover is in the editor's language", async () => {
  const line = "photos/coffee_000.png";
  const hover = await connection.sendRequest<{ markdown: string } | null>("leaf/imageHover", {
    document: config,
    text: line,
    character: 3,
  });
  expect(hover).not.toBeNull();
  expect(bad([hover!.markdown], /PNG/g)).toEqual([]);
});
