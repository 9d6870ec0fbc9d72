import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { shellCommands } from "../support/shellBlocks.ts";
import { leaf, leafJson, makeWorkspace, temporaryFolder } from "./workspace.ts";

// Every command in the docs' shell blocks runs here, or says who runs it or why nobody does.

const pages = globSync("{README,CONTRIBUTING,docs/*,src/python/iqa/*}.md").sort();
const documented = [...new Set(pages.flatMap((page) => shellCommands(readFileSync(page, "utf8"))))];

/** What does not run here: the test that runs it, or the reason. */
const elsewhere: Record<string, { runBy: string } | { notRun: string }> = {
  "npm ci": { runBy: ".ci/run" },
  "npm run demo": { runBy: "test/e2e/demo.test.ts" },
  "npm run package": { runBy: "test/e2e/package.test.ts" },
  "alias leaf=\"node '$PWD/bin/leaf.js'\"": {
    notRun: "A shell's alias; what it stands for is what runs here.",
  },
  "cd my-photos": { notRun: "The folder of the reader." },
  "leaf env --extra ray": { runBy: "test/integration/ray.test.ts" },
  "leaf score --engine ray /data/renders --student student --out scores": {
    runBy: "test/integration/ray.test.ts",
  },
  "leaf label --engine ray": { runBy: "test/integration/ray.test.ts" },
  "leaf env": { runBy: "test/integration/python-environment.test.ts" },
  "leaf run": { runBy: "test/integration/pipeline.test.ts" },
  "leaf label --dry-run 3": { runBy: "test/integration/label-command.test.ts" },
  "leaf experiment run components": {
    notRun: "Twelve trainings; test/integration/experiment.test.ts runs a smaller one.",
  },
  "leaf experiment run ratio": { notRun: "21 calibrations; as above." },
  "leaf experiment run cft-only": { notRun: "As above." },
  "leaf experiment show ratio --format latex": { runBy: "test/engine/experiments/formats.test.ts" },
  "python -m pip install ./src/python/iqa": { runBy: "test/integration/leaf-iqa.test.ts" },
  "pip install ./src/python/iqa": { runBy: "test/integration/leaf-iqa.test.ts" },
  "(cat info_train.csv; tail -q -n +2 info_val.csv info_test.csv) > info.csv": {
    notRun: "Needs the dataset's files.",
  },
  "find /data/renders -name '*.png' | leaf score - --student student > scores.jsonl": {
    runBy: "test/integration/serve.test.ts",
  },
  "leaf serve --student student": { runBy: "test/integration/serve.test.ts" },
  "curl --data-binary @a.jpg -H 'content-type: image/jpeg' http://127.0.0.1:8700/v1/score": {
    runBy: "test/integration/serve.test.ts",
  },
  "leaf export student --out s3://models/iqa/v1": { runBy: "tools/object-storage/student.py" },
  "leaf score --student s3://models/iqa/v1#sha256=CHECKSUM photos": {
    runBy: "tools/object-storage/student.py",
  },
  "leaf score --engine ray s3://bucket/renders --student student --out s3://bucket/scores": {
    runBy: "tools/object-storage/cluster.py",
  },
  "docker build -f containers/Dockerfile.cpu -t leaf:cpu .": {
    notRun: "Needs a daemon; test/scripts/containers.test.ts reads the files.",
  },
  'docker run --rm --user "$(id -u)" -v "$PWD:/work" leaf:cpu score --student student photos': {
    notRun: "As above.",
  },
  'docker run -p 8700:8700 -e LEAF_SERVE_TOKEN -v "$PWD/student:/student:ro" leaf:cpu serve --student /student --host 0.0.0.0':
    { notRun: "As above." },
  "node bench/human.ts --images photos --mos scores.csv --image name --score mos --range 0,100 --group series --out out":
    { notRun: "Hours; test/bench holds its table." },
};
const here = documented.filter((command) => !(command in elsewhere));

const { dir, remove } = temporaryFolder();
const at = (name: string) => path.join(dir, name);
afterAll(remove);

// A labelled project with a student that was trained elsewhere in the place of its own.
beforeAll(async () => {
  // Enough to compare two students on.
  await makeWorkspace(dir, 44);
  await leafJson(dir, "label");
  const run = JSON.parse(readFileSync(at(".leaf/runs/r1/run.json"), "utf8"));
  run.stages.distill = { key: "0000000000000000", seconds: 1, result: {} };
  writeFileSync(at(".leaf/runs/r1/run.json"), JSON.stringify(run));
  cpSync("test/fixtures/student", at(".leaf/stages/distill/0000000000000000"), { recursive: true });
  mkdirSync(at("new-photos"));
  cpSync("demo/photos/coffee.jpg", at("new-photos/a.jpg"));
  mkdirSync(at("fresh"));
  cpSync("demo/photos/coffee.jpg", at("fresh/a.jpg"));
}, 120_000);

test("what runs elsewhere is still in the docs, and its test is there", () => {
  expect(Object.keys(elsewhere).filter((command) => !documented.includes(command))).toEqual([]);
  const tests = Object.values(elsewhere).flatMap((one) => ("runBy" in one ? [one.runBy] : []));
  expect(tests.filter((file) => !existsSync(file))).toEqual([]);
  expect(here.length).toBeGreaterThan(8);
});

test.each(here)("%s", { timeout: 60_000 }, async (command) => {
  const [name, ...args] = command.split(" ");
  expect(name, "a command of another program: run it here, or say who does").toBe("leaf");
  // A config that is there is not written over.
  const folder = command === "leaf init" ? at("fresh") : dir;
  const { code, stdout, stderr } = await leaf(folder, ...args);
  expect(code, stderr).toBe(0);
  expect(stdout + stderr).not.toBe("");
});
