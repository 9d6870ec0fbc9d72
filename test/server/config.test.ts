import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  CompletionList,
  Diagnostic,
  DocumentLink,
  Hover,
  MessageConnection,
} from "vscode-languageserver/node";
import { commandIds } from "../../src/protocol/commands.ts";
import type { ConsentView } from "../../src/protocol/consent.ts";
import { uriOf } from "../../src/server/uris.ts";
import { config, makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// leaf.yaml as a language, asked of the built server.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
const uri = uriOf(path.join(dir, "leaf.yaml"));
let connection: MessageConnection;
let stop: () => Promise<void>;
let diagnostics: Diagnostic[] = [];
let told = 0;
let text = "";
let version = 1;

beforeAll(async () => {
  await makeWorkspace(dir, 24);
  // Where approvals are kept. An interpreter of the user's own would come before the config's.
  process.env.LEAF_HOME = path.join(dir, "home");
  delete process.env.LEAF_PYTHON;
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification(
      "textDocument/publishDiagnostics",
      (params: { uri: string; diagnostics: Diagnostic[] }) => {
        if (params.uri !== uri) return;
        diagnostics = params.diagnostics;
        told++;
        look();
      },
    );
  }));
  text = config();
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "yaml", version, text },
  });
});
afterAll(async () => {
  await stop();
  remove();
});

async function type(next: string): Promise<void> {
  text = next;
  const before = told;
  await connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: ++version },
    contentChanges: [{ text }],
  });
  await until(() => told > before);
}

/** Line and character of the `|` in a text, and the text without it. */
function cursor(marked: string) {
  const before = marked.slice(0, marked.indexOf("|")).split("\n");
  return {
    text: marked.replace("|", ""),
    position: { line: before.length - 1, character: before.at(-1)!.length },
  };
}
const at = { textDocument: { uri } };

test("an unknown key is marked from start to end, and a quick fix renames it", async () => {
  await type(`${config()}distil: { epochs: 3 }\n`);
  expect(diagnostics).toMatchObject([
    {
      source: "leaf",
      message: "unknown key `distil`, did you mean `distill`?",
      range: { start: { line: 9, character: 0 }, end: { line: 9, character: 6 } },
    },
  ]);
  const fixes = await connection.sendRequest<CodeAction[]>("textDocument/codeAction", {
    ...at,
    range: diagnostics[0]!.range,
    context: { diagnostics },
  });
  const edits = fixes.flatMap((fix) => fix.edit?.changes?.[uri] ?? []);
  expect(edits).toContainEqual({ range: diagnostics[0]!.range, newText: "distill" });
});

test("keys and values are completed, inside braces too", async () => {
  for (const [marked, wanted] of [
    ["images: photos\ndistill:\n  ep|\n", "epochs"],
    ["images: photos\ncalibrate: { ra| }\n", "ratio"],
    ["images: photos\ndistill: { keep: | }\n", "last"],
    ["im|", "images"],
  ] as const) {
    const { text: plain, position } = cursor(marked);
    await type(plain);
    const answer = await connection.sendRequest<CompletionItem[] | CompletionList>(
      "textDocument/completion",
      {
        ...at,
        position,
      },
    );
    const items = Array.isArray(answer) ? answer : answer.items;
    expect(
      items.map((item) => item.label),
      marked,
    ).toContain(wanted);
  }
});

test("a key's hover has its documentation and default", async () => {
  const { text: plain, position } = cursor("images: photos\ndistill:\n  epo|chs: 3\n");
  await type(plain);
  const hover = await connection.sendRequest<Hover>("textDocument/hover", { ...at, position });
  const words = JSON.stringify(hover.contents);
  expect(words).toContain("Passes over the training images");
  expect(words).toContain("20");
});

test("lenses run all stages and each one; links lead to the folder and the scores", async () => {
  await type(config());
  const wanted = [
    commandIds.run,
    commandIds.label,
    commandIds.distill,
    commandIds.calibrate,
    commandIds.evaluate,
  ];
  let lenses: CodeLens[] = [];
  // The project is read meanwhile.
  for (
    let tries = 0;
    tries < 50 && !lenses.some((lens) => lens.command?.command === commandIds.evaluate);
    tries++
  ) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    lenses = await connection.sendRequest<CodeLens[]>("textDocument/codeLens", at);
  }
  for (const command of wanted) {
    const lens = lenses.find((one) => one.command?.command === command);
    expect(lens?.command?.arguments?.[0], command).toBe(uri);
  }
  expect(lenses[0]!.command!.title).toMatch(/Run all · 4 stages/);
  const links = await connection.sendRequest<DocumentLink[]>("textDocument/documentLink", at);
  const targets = links.map((link) => link.target);
  expect(targets).toContain(uriOf(path.join(dir, "mos.csv")));
  expect(targets).toContain(uriOf(path.join(dir, "photos")));
});

test("a problem of the data is marked where the config names them", async () => {
  const wrong = config().replace("images: photos", "images: nowhere");
  await type(wrong);
  writeFileSync(path.join(dir, "leaf.yaml"), wrong);
  await connection.sendNotification("textDocument/didSave", at);
  await until(() => diagnostics.some((one) => String(one.message).includes("nowhere does not exist")));
  expect(diagnostics.find((one) => String(one.message).includes("nowhere"))!.range.start.line).toBe(0);
});

test("an interpreter without torch is marked where the config names it", async () => {
  // Python itself, alone: in an environment that has nothing else.
  execFileSync("python3", ["-m", "venv", "--without-pip", path.join(dir, "bare")]);
  const wrong = config().replace("threads: 1", "threads: 1, interpreter: bare/bin/python");
  await type(wrong);
  writeFileSync(path.join(dir, "leaf.yaml"), wrong);
  await connection.sendNotification("textDocument/didSave", at);
  await until(() => diagnostics.some(({ code }) => code === "consent"));
  const target = { config: uri, work: "distill" };
  const { items } = await connection.sendRequest<ConsentView>("leaf/consent", target);
  const digests = items.map(({ digest }) => digest);
  await connection.sendRequest("leaf/approve", { ...target, digests, decision: "allow" });
  await until(() => diagnostics.some((one) => String(one.message).includes("lacks")));
  const found = diagnostics.find((one) => String(one.message).includes("lacks"))!;
  expect(String(found.message)).toContain("torch");
  expect(found.range.start.line).toBe(wrong.split("\n").findIndex((line) => line.startsWith("python:")));
});
