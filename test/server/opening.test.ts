import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Diagnostic, MessageConnection } from "vscode-languageserver/node";
import type { ConsentView } from "../../src/protocol/consent.ts";
import type { JobEvent } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// A stranger's folder, opened in the built server: it names programs wherever it can.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
const config = uriOf(path.join(dir, "leaf.yaml"));
const marks = path.join(dir, "RAN");
let connection: MessageConnection;
let stop: () => Promise<void>;
let diagnostics: Diagnostic[] = [];
const events: JobEvent[] = [];
const inherited = { LEAF_PYTHON: process.env.LEAF_PYTHON, LEAF_HOME: process.env.LEAF_HOME };

function program(name: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> "${marks}"\n`);
  chmodSync(file, 0o755);
  return file;
}
const ran = () => (existsSync(marks) ? readFileSync(marks, "utf8") : "");

beforeAll(async () => {
  await makeWorkspace(
    dir,
    24,
    `teacher: { kind: openai, serve: { model: m, command: [./serve.sh, "{port}"], startMinutes: 1 } }`,
  );
  writeFileSync(
    path.join(dir, "leaf.yaml"),
    readFileSync(path.join(dir, "leaf.yaml"), "utf8").replace(
      "threads: 1",
      "threads: 1, interpreter: ./tool.sh",
    ),
  );
  program("tool.sh");
  program("serve.sh");
  // Git runs this whenever it is asked in the folder.
  execFileSync("git", ["init", "-q"], { cwd: dir });
  execFileSync("git", ["config", "core.fsmonitor", program("monitor.sh")], { cwd: dir });
  // Python takes modules from where it starts.
  for (const name of ["leaf", "torch", "json"])
    writeFileSync(
      path.join(dir, `${name}.py`),
      `open(${JSON.stringify(marks)}, "a").write("${name}.py\\n")\n`,
    );
  mkdirSync(path.join(dir, ".vscode"));
  writeFileSync(path.join(dir, ".vscode", "settings.json"), '{"leaf.python.interpreter":"./tool.sh"}');
  delete process.env.LEAF_PYTHON;
  process.env.LEAF_HOME = path.join(dir, "..", `${path.basename(dir)}-home`);
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification(
      "textDocument/publishDiagnostics",
      (params: { uri: string; diagnostics: Diagnostic[] }) => {
        if (params.uri === config) diagnostics = params.diagnostics;
        look();
      },
    );
    one.onNotification("leaf/jobEvents", (params: { events: JobEvent[] }) => {
      events.push(...params.events);
      look();
    });
    one.onNotification("leaf/changed", look);
  }));
});
afterAll(async () => {
  await stop();
  for (const [name, value] of Object.entries(inherited))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  execFileSync("rm", ["-rf", path.join(dir, "..", `${path.basename(dir)}-home`)]);
  remove();
});

const ready = async () => {
  const [project] = await connection.sendRequest<ProjectSnapshot[]>("leaf/projects", {});
  return project?.invalid === null && project.stages.length > 0;
};

test("opening it, its config and what LEAF tells of its environment runs nothing", async () => {
  const text = readFileSync(path.join(dir, "leaf.yaml"), "utf8");
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri: config, languageId: "yaml", version: 1, text },
  });
  await until(() => diagnostics.some(({ code }) => code === "consent"));
  expect(await ready()).toBe(true);
  const textDocument = { uri: config };
  await connection.sendRequest("textDocument/codeLens", { textDocument });
  await connection.sendRequest("textDocument/hover", { textDocument, position: { line: 0, character: 2 } });
  await connection.sendRequest("leaf/environment", { config });
  await connection.sendRequest("leaf/consent", { config, work: "run" });
  expect(
    diagnostics
      .filter(({ code }) => code === "consent")
      .map(({ message, range }) => [message, text.split("\n")[range.start.line]!.split(":")[0]]),
  ).toEqual([
    ["Not approved yet: LEAF asks before it does this. Run the Python interpreter ./tool.sh.", "python"],
    ["Not approved yet: LEAF asks before it does this. Start the teacher's server.", "teacher"],
  ]);
  expect(ran()).toBe("");
});

test("a run that was not approved refuses, and runs nothing", async () => {
  await connection.sendRequest("leaf/start", { config, kind: "label" });
  await until(() => events.some(({ type }) => type === "end"));
  expect(events.at(-1)).toMatchObject({ type: "end", state: "failed", failure: { code: "consent" } });
  expect(ran()).toBe("");
});

test("what was seen and approved is run, and nothing else", async () => {
  const { items } = await connection.sendRequest<ConsentView>("leaf/consent", { config, work: "label" });
  expect(items.map(({ details }) => details[0])).toEqual(["./serve.sh {port}"]);
  const digests = items.map(({ digest }) => digest);
  const approve = { config, work: "label", digests, decision: "allow" };
  // Another program since it was shown.
  const before = readFileSync(path.join(dir, "serve.sh"));
  writeFileSync(path.join(dir, "serve.sh"), "#!/bin/sh\necho other\n");
  await expect(connection.sendRequest("leaf/approve", approve)).rejects.toThrow(
    "has changed since you looked at it",
  );
  writeFileSync(path.join(dir, "serve.sh"), before);
  await connection.sendRequest("leaf/approve", approve);
  events.length = 0;
  await connection.sendRequest("leaf/start", { config, kind: "label" });
  await until(() => events.some(({ type }) => type === "end"));
  expect(events.at(-1)).toMatchObject({ failure: { code: expect.not.stringMatching("consent") } });
  const programs = new Set(
    ran()
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]),
  );
  expect(programs).toEqual(new Set(["serve.sh"]));
});
