import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { readyFile } from "../../src/engine/python/make.ts";
import { rayEnvironmentDir, rayInterpreter } from "../../src/engine/python/ray.ts";
import { completion, picturesIn, startChatServer } from "../support/chatServer.ts";
import { twoNodes } from "../support/rayNodes.ts";
import { leaf, leafJson, makeWorkspace, startLeaf, temporaryFolder } from "./workspace.ts";

// Ray is an extra: `leaf env --extra ray` installs it. `npm test` sets LEAF_TEST_RAY, and this waits until it is there.
const isThere = process.env.LEAF_RAY_PYTHON !== undefined || existsSync(readyFile(rayEnvironmentDir()));
const isMissing = !isThere && !process.env.LEAF_TEST_RAY;

const { dir, remove } = temporaryFolder();
afterAll(remove);
const student = path.resolve("test/fixtures/student");
const images = path.join(dir, "images");
const count = 240;

interface Told {
  scored: number;
  failed: number;
  known: number;
}
interface Row {
  image: string;
  hash: string;
  score: number;
  distance: number | null;
  reason: string;
}

async function rowsOf(out: string, what: "scores" | "failed"): Promise<Row[]> {
  const rows: Row[] = [];
  for (const name of readdirSync(path.join(out, what), { recursive: true }) as string[])
    if (name.endsWith(".parquet")) {
      const file = await asyncBufferFromFile(path.join(out, what, name));
      rows.push(...((await parquetReadObjects({ file })) as unknown as Row[]));
    }
  return rows.sort((a, b) => (a.image < b.image ? -1 : 1));
}

/** A table with the files themselves. */
function parquetOf(names: string[]): Uint8Array {
  const bytes = names.map((name) => new Uint8Array(readFileSync(path.join(images, name))));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: "image", data: names.map((name) => `packed/${name}`), type: "STRING" },
        { name: "bytes", data: bytes, type: "BYTE_ARRAY" },
      ],
    }),
  );
}

/** Of Ray on this machine: its folders, and what runs there. */
const leftovers = () => readdirSync("/tmp").filter((name) => name.startsWith("leaf-ray-"));
const running = (folder: string) =>
  execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(`/tmp/${folder}`));

describe.skipIf(isMissing)("on a Ray cluster", () => {
  beforeAll(async () => {
    if (!isThere) await leafJson(dir, "env", "--extra", "ray");
    mkdirSync(images);
    const photo = sharp(path.resolve("demo/photos/coffee.jpg"));
    const picture = await photo.resize(120, 90).raw().toBuffer({ resolveWithObject: true });
    for (let i = 0; i < count; i++)
      await sharp(picture.data, { raw: picture.info })
        .modulate({ brightness: 0.4 + i / count })
        .png({ compressionLevel: 1 })
        .toFile(path.join(images, `${String(i).padStart(3, "0")}.png`));
    writeFileSync(path.join(images, "broken.png"), "this is no image");
  }, 400_000);

  test("a node is killed: each image of a folder and of a table has one row, as `leaf score` has it; again does nothing", {
    timeout: 240_000,
  }, async () => {
    const out = path.join(dir, "out");
    const plain = await leafJson<{ scores: Row[] }>(dir, "score", images, "--student", student);
    const nodes = await twoNodes(rayInterpreter());
    const table = path.join(dir, "packed.parquet");
    const packed = readdirSync(images).filter((name) => /^00\d/.test(name));
    writeFileSync(table, parquetOf(packed));
    const args = ["score", images, table, "--student", student, "--engine", "ray", "--out", out, "--json"];
    try {
      const { child, done } = startLeaf(dir, [...args, "--address", nodes.address], nodes.env);
      let killed: Promise<void> | undefined;
      child.stderr!.on("data", (text: string) => {
        if (/images · [1-9]/.test(text)) killed ??= nodes.killOne();
      });
      const { code, stdout, stderr } = await done;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      await killed;
      expect(killed).toBeDefined();
      expect(JSON.parse(stdout)).toMatchObject({ scored: count + packed.length, failed: 1, known: 0 });
    } finally {
      await nodes.end();
    }
    const rows = await rowsOf(out, "scores");
    const scores = new Map(plain.scores.map(({ image, score }) => [image, score]));
    for (const name of packed) scores.set(`packed/${name}`, scores.get(path.join(images, name))!);
    expect(rows.map(({ image, score }) => [image, score])).toEqual([...scores].sort());
    expect((await rowsOf(out, "failed")).map((row) => path.basename(row.image))).toEqual(["broken.png"]);

    // Nothing is left to do, so that no cluster is asked for.
    execFileSync("rm", [path.join(images, "broken.png")]);
    const again = await leaf(dir, ...args, "--address", "127.0.0.1:1");
    expect(JSON.parse(again.stdout)).toMatchObject({
      scored: 0,
      failed: 0,
      known: count + packed.length,
    } satisfies Told);
    expect(await rowsOf(out, "scores")).toEqual(rows);
    expect(await rowsOf(out, "failed")).toEqual([]);
  });

  test("labels are those of `leaf label`, an endpoint has one limit, and stopping leaves no process", {
    timeout: 240_000,
  }, async () => {
    const [here, there] = [path.join(dir, "here"), path.join(dir, "there")];
    const server = await startChatServer(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const share = (picturesIn(request).join().length % 7) / 10;
      return picturesIn(request).length === 2
        ? completion({ A: 0.2 + share, B: 0.7 - share })
        : completion({ good: 0.2 + share, fair: 0.7 - share });
    });
    onTestFinished(() => server.close());
    const teacher = `teacher: { kind: openai, model: m, endpoint: "${server.url}", concurrency: 2 }`;
    for (const folder of [here, there]) await makeWorkspace(folder, 12, teacher);
    const before = leftovers();
    const ray = ["label", "--engine", "ray", "--workers", "2"];
    const { child, done } = startLeaf(there, ray);
    child.stderr!.on("data", (text: string) => {
      if (text.includes("2 workers")) child.kill("SIGINT");
    });
    expect((await done).code).toBe(130);
    expect(leftovers()).toEqual(before);

    const { points } = await leafJson<{ points: { labelled: number; reused: number } }>(there, ...ray);
    expect(points.labelled + points.reused).toBeGreaterThan(0);
    expect(server.mostUnderWay).toBeLessThanOrEqual(2);
    await leafJson(here, "label");
    expect(leftovers()).toEqual(before);
    for (const folder of before) expect(running(folder)).toEqual([]);
    const exported = await Promise.all(
      [here, there].map(async (folder) => {
        await leafJson(folder, "labels", "export", "labels");
        const file = (name: string) => asyncBufferFromFile(path.join(folder, "labels", name));
        return [
          await parquetReadObjects({ file: await file("points.parquet") }),
          await parquetReadObjects({ file: await file("pairs.parquet") }),
        ];
      }),
    );
    expect(exported[1]).toEqual(exported[0]);
    const again = await leafJson<{ points: object; pairs: object }>(there, ...ray);
    expect(again).toMatchObject({ points: { labelled: 0 }, pairs: { labelled: 0 } });
  });
});

test("without Ray the sentence says how to get it", async () => {
  const env = { ...process.env, LEAF_HOME: path.join(dir, "home"), LEAF_RAY_PYTHON: undefined };
  const args = ["score", ".", "--student", student, "--engine", "ray", "--out", "out"];
  const { code, stderr } = await startLeaf(dir, args, env).done;
  expect(code).toBe(1);
  expect(stderr).toContain("Ray is not installed.");
  expect(stderr).toContain("`leaf env --extra ray`");
});
