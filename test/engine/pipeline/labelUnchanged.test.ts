import { copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openProject, type Project } from "../../../src/engine/config/project.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { storeState } from "../../../src/engine/pipeline/stages/label/unchanged.ts";
import { labelStage } from "../../../src/engine/pipeline/stages/label.ts";
import { askedPhotos } from "../../support/askedPhotos.ts";
import { startChatServer } from "../../support/chatServer.ts";

/** A project whose labels are there and were looked at once more, and its teacher. */
async function labelled(more = "") {
  const server = await startChatServer();
  onTestFinished(() => server.close());
  const config = await askedPhotos(
    `{ kind: openai, endpoint: "${server.url}", model: m }`,
    `label: { pairsPerImage: 1 }\n${more}`,
  );
  const project = await openProject(config);
  await look(project);
  later();
  const second = await look(project);
  expect(second.asked).toBe(true);
  return { project, server, second, config };
}

/** What the stage says, and whether it asked the store for anything: progress tells of that. */
async function look(project: Project) {
  let asked = false;
  const result = await labelStage(project, {
    onProgress: ({ stage }) => {
      if (stage === "label") asked = true;
    },
  });
  return { result, asked };
}

/** Files that were written until now are old. */
function later() {
  const real = Date.now.bind(Date);
  const start = real() + 60_000;
  vi.spyOn(Date, "now").mockImplementation(() => start);
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
}

function inStore(project: Project, sql: string) {
  const db = new DatabaseSync(project.labelsFile);
  db.exec(sql);
  db.close();
}

describe("labels that are all there", () => {
  it("are not looked at again while nobody writes to the store, and the stage says the same", async () => {
    const { project, server, second } = await labelled();
    const requests = server.requests.length;
    const third = await look(project);
    expect(third).toEqual({ result: second.result, asked: false });
    expect(third.result.points).toEqual({ labelled: 0, reused: 4, failed: 0 });
    expect(server.requests.length).toBe(requests);
  });

  it("are looked at again by one who reads the store as it was just written", async () => {
    const { project } = await labelled();
    vi.restoreAllMocks();
    expect(storeState(project.labelsFile)).toBeUndefined();
    expect((await look(project)).asked).toBe(true);
  });

  it.each([
    ["a point that is gone", "DELETE FROM points WHERE id = (SELECT min(id) FROM points)"],
    ["a pair that is gone", "DELETE FROM pairs WHERE id = (SELECT min(id) FROM pairs)"],
    ["a score that was changed into none", "UPDATE points SET score = NULL WHERE id = 1"],
  ])("are asked again for %s", async (_, sql) => {
    const { project, server } = await labelled();
    const requests = server.requests.length;
    inStore(project, sql);
    const { result } = await look(project);
    expect(result.points.labelled + result.pairs.labelled).toBe(1);
    expect(server.requests.length).toBeGreaterThan(requests);
    expect((await look(project)).result).toMatchObject({ points: { labelled: 0 }, pairs: { labelled: 0 } });
  });

  it("count otherwise where a person says something of a pair", async () => {
    const { project, second } = await labelled("");
    const store = openLabels(project.labelsFile);
    const row = store.db
      .prepare(
        "SELECT a.hash AS a, b.hash AS b FROM pairs p JOIN images a ON a.id = p.a_id JOIN images b ON b.id = p.b_id",
      )
      .all();
    for (const { a, b } of row) store.overridePair(String(a), String(b), 0.5);
    store.close();
    const { result, asked } = await look(project);
    expect(asked).toBe(true);
    expect(result.pairs.kept).not.toBe(second.result.pairs.kept);
  });

  it("are looked at again in another file at the same place", async () => {
    const { project } = await labelled();
    copyFileSync(project.labelsFile, `${project.labelsFile}.copy`);
    renameSync(`${project.labelsFile}.copy`, project.labelsFile);
    expect((await look(project)).asked).toBe(true);
  });

  it("are looked at again where something else is asked for, and not where the same is asked again", async () => {
    const { project, config } = await labelled();
    const before = readFileSync(config, "utf8");
    const images = readdirSync(path.join(project.root, "photos"));
    writeFileSync(
      path.join(project.root, "mos.csv"),
      `image,score\n${images.map((name, i) => `${name},${i + 1}`).join("\n")}\n`,
    );
    writeFileSync(
      config,
      `${before.replace("pairsPerImage: 1", "pairsPerImage: 1, check: [train]")}mos: { file: mos.csv, image: image, score: score, range: [1, 5] }\n`,
    );
    const { result, asked } = await look(await openProject(config));
    expect(asked).toBe(true);
    expect(result.checks).toBeDefined();
    writeFileSync(config, before);
    expect((await look(await openProject(config))).result.checks).toBeUndefined();
  });
});

it("opening a store that is up to date changes no byte of it", async () => {
  const { project } = await labelled();
  const state = storeState(project.labelsFile);
  expect(state).toBeDefined();
  openLabels(project.labelsFile).close();
  expect(storeState(project.labelsFile)).toBe(state);
});
