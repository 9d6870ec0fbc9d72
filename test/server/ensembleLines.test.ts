import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { TextDocument } from "vscode-languageserver-textdocument";
import { openProject } from "../../src/engine/config/project.ts";
import { commandIds } from "../../src/protocol/commands.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { consentFacts } from "../../src/server/facts.ts";
import { readConfig } from "../../src/server/language/configDocument.ts";
import { diagnose } from "../../src/server/language/diagnostics.ts";
import { codeLenses } from "../../src/server/language/lenses.ts";
import { temporaryFolder } from "../support/pictures.ts";

const configOf = (text: string) => readConfig(TextDocument.create("file:///x/leaf.yaml", "yaml", 1, text));
const head = "images: photos\nteacher:\n  kind: ensemble\n  of:\n";

test("what is wrong with one teacher of several is marked in its own lines", () => {
  const config = configOf(
    `${head}    - { kind: embedded }\n    - kind: openai\n      endpoint: http://127.0.0.1:1/v1\n      mdel: x\n    - { kind: clip }\n`,
  );
  expect(diagnose(config, []).map(({ range, message }) => [range.start.line, message])).toEqual([
    [5, "`teacher.of.1.model`: is missing: the model's name at the endpoint"],
    [7, "unknown key `teacher.of.1.mdel`, did you mean `model`?"],
    [8, "`teacher.of.2.model` is missing"],
  ]);
});

test("what waits for consent is told at the teacher that it is for", async () => {
  const root = temporaryFolder();
  const text = `${head}    - { kind: openai, endpoint: "http://127.0.0.1:1/v1", model: a }\n    - { kind: openai, serve: { model: b } }\n`;
  writeFileSync(path.join(root, "leaf.yaml"), text);
  const facts = consentFacts(await openProject(path.join(root, "leaf.yaml")));
  expect(facts.map((fact) => fact.path)).toEqual([["teacher", "of", 1, "serve"]]);
  const [found] = diagnose(configOf(text), facts);
  expect([found!.range.start.line, found!.code]).toEqual([5, "consent"]);
});

test("each teacher with a prompt has a dry run over its own line", () => {
  const config = configOf(
    `${head}    - { kind: embedded }\n    - kind: openai\n      endpoint: http://127.0.0.1:1/v1\n      model: x\n    - { kind: clip, model: y }\n`,
  );
  const snapshot = { config: "file:///x/leaf.yaml", invalid: null, stages: [], stale: 0, job: null };
  const lenses = codeLenses(config, { snapshot: snapshot as unknown as ProjectSnapshot, runs: [], now: 0 });
  const dry = lenses.filter(({ command }) => command!.command === commandIds.dryRun);
  expect(dry.map(({ range, command }) => [range.start.line, command!.arguments])).toEqual([
    [5, [snapshot.config, 2]],
    [8, [snapshot.config, 3]],
  ]);
});
