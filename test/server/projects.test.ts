import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageConnection } from "vscode-languageserver/node";
import type { JobEvent } from "../../src/protocol/jobs.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { say } from "../../src/words/text.ts";
import { english } from "../../src/words/translate.ts";
import { whyWords } from "../../src/words/why.ts";
import { config, makeWorkspace, temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// The tests build on each other.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
let connection: MessageConnection;
let stop: () => Promise<void>;
let projects: ProjectSnapshot[] = [];
const events: JobEvent[] = [];
const project = () => projects[0]!;
const states = () => project()?.stages.map(({ stage, state }) => `${stage} ${state}`) ?? [];

beforeAll(async () => {
  await makeWorkspace(dir, 24);
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      projects = told.projects;
      look();
    });
    one.onNotification("leaf/jobEvents", (told: { events: JobEvent[] }) => {
      events.push(...told.events);
      look();
    });
  }));
});
afterAll(async () => {
  await stop();
  remove();
});

test("finds the config, reads its images and scores, and says what is missing", async () => {
  await until(() => project()?.images !== null && projects.length === 1);
  expect(project()).toMatchObject({
    config: uriOf(path.join(dir, "leaf.yaml")),
    name: "leaf.yaml",
    invalid: null,
    images: { files: 24, usable: 24, failed: 0 },
    scorer: { kind: "embedded", title: say`embedded teacher`, scale: [1, 5] },
  });
  expect(project().mos).toMatchObject({ rated: 24, range: [1, 5] });
  expect(states()).toEqual(["label missing", "distill missing", "calibrate missing", "evaluate missing"]);
});

test("runs a stage in a process of its own, tells its events, and knows its result", async () => {
  const job = await connection.sendRequest("leaf/start", { config: project().config, kind: "label" });
  expect(job).toMatchObject({ kind: "label", state: "running" });
  await expect(
    connection.sendRequest("leaf/start", { config: project().config, kind: "label" }),
  ).rejects.toMatchObject({ data: { code: "failed", message: "`label` is running already." } });
  await until(() => events.some((event) => event.type === "end"));
  expect(events.at(-1)).toMatchObject({ type: "end", state: "done", result: { images: 17 } });
  await until(() => states()[0] === "label fresh");
  expect(project().stages[0]!.headline).toMatch(/^17 images, \d+ pairs \(\d+ discarded\)$/);
  expect(project().job).toMatchObject({ state: "done", failure: null });
});

test("follows images that come and go", async () => {
  const added = path.join(dir, "photos", "added.png");
  await sharp(path.resolve("demo/photos/coffee.jpg")).resize(64, 64).png().toFile(added);
  await until(() => project().images?.usable === 25);
  await until(() => states()[0] === "label stale");
  rmSync(added);
  await until(() => project().images?.usable === 24);
  await until(() => states()[0] === "label fresh");
});

test("follows the config, and says where it is wrong", async () => {
  const file = path.join(dir, "leaf.yaml");
  writeFileSync(file, config("distil: { epochs: 3 }"));
  await until(() => project().invalid !== null);
  expect(project().invalid).toBe("leaf.yaml:10:1: unknown key `distil`, did you mean `distill`?");
  await expect(
    connection.sendRequest("leaf/start", { config: project().config, kind: "run" }),
  ).rejects.toMatchObject({ data: { code: "config" } });
  writeFileSync(file, config());
  await until(() => project().invalid === null);
});

test("stops a training, and refuses a config that is not there", async () => {
  writeFileSync(path.join(dir, "leaf.yaml"), config("", { epochs: 500 }));
  await until(
    () => whyWords(english, project().stages[1]?.reason).includes("500") || states()[1] === "distill missing",
  );
  events.length = 0;
  await connection.sendRequest("leaf/start", { config: project().config, kind: "distill" });
  await until(() => events.some((event) => event.type === "trainer" && event.message.type === "metrics"));
  expect(await connection.sendRequest("leaf/stop", { config: project().config })).toEqual({ stopped: true });
  expect(events.at(-1)).toMatchObject({ type: "end", state: "cancelled" });
  await expect(
    connection.sendRequest("leaf/stop", { config: uriOf(path.join(dir, "nowhere.yaml")) }),
  ).rejects.toMatchObject({ data: { code: "input" } });
});
