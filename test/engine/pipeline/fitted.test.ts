import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { fitted } from "../../../src/engine/pipeline/plan/fitted.ts";
import { planOf } from "../../../src/engine/pipeline/plan/plan.ts";
import { makeStageDir } from "../../../src/engine/pipeline/stage.ts";
import { hashOf, liveProject, putIndex } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

test("the same inputs are fitted once, other inputs anew, and a damaged file again", async () => {
  const project = liveProject(temporaryFolder());
  putIndex(project, [{ path: "photos/0.jpg", hash: hashOf(0) }]);
  const catalog = await openCatalog(project, { trustIndex: true });
  const plan = planOf(project, catalog);
  let times = 0;
  const line = (rows: string) => fitted(plan, "line", { rows }, z.number().nullable(), () => ++times);
  // Before there is a stage to keep it with it is worked out at every look.
  expect([await line("a"), await line("a")]).toEqual([1, 2]);
  const dir = await makeStageDir(project, "label", (await plan.label()).key);
  expect([await line("a"), await line("a"), await line("b"), await line("a")]).toEqual([3, 3, 4, 3]);
  const files = readdirSync(path.join(dir, "fits"));
  expect(files).toHaveLength(2);
  const first = files
    .map((name) => path.join(dir, "fits", name))
    .find((file) => readFileSync(file, "utf8").includes("3"))!;
  writeFileSync(first, '{"v": 1, "value": "much"}');
  expect(await line("a")).toBe(5);
  plan.close();
  catalog.close();
});
