import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import type { Scorer } from "../../../src/engine/scoring/context.ts";
import { pictureFile, shownByBrowsers } from "../../../src/engine/scoring/pictureFiles.ts";
import { createScorerProcess, type ScoredOrFailed } from "../../../src/engine/scoring/process.ts";
import { openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { createEmbeddedTeacher } from "../../../src/engine/teachers/embedded/teacher.ts";
import { gradient, meanDifference, picture, temporaryFolder } from "../../support/pictures.ts";
import { isAlive } from "../../support/processes.ts";

const entry = path.resolve("src/engine/scoring/main.ts");
const studentDir = path.resolve("test/fixtures/student");
const student: Scorer = { kind: "student", fingerprint: "mean", dir: studentDir, card: null, run: "r1" };
const embedded: Scorer = { kind: "embedded", fingerprint: "teacher", dir: null, card: null, run: null };

// One process for most tests: as in a server.
const scorer = createScorerProcess({ entry });
afterAll(() => scorer.close());

function put(dir: string, name: string, bytes: Buffer) {
  const file = path.join(dir, name);
  writeFileSync(file, bytes);
  return { hash: hashBytes(bytes), path: file };
}

async function images(dir: string, n: number) {
  const items: { hash: string; path: string }[] = [];
  for (let i = 0; i < n; i++)
    items.push(
      put(
        dir,
        `${i}.png`,
        await picture(60 + i, 50, 7 * i)
          .png({ compressionLevel: 1 })
          .toBuffer(),
      ),
    );
  return items;
}

async function score(
  items: { hash: string; path: string }[],
  priority: "now" | "background" = "now",
  by = student,
  process = scorer,
) {
  const told = new Map<string, ScoredOrFailed>();
  await process.score(by, items, { priority, onScored: (one) => told.set(one.hash, one) });
  return told;
}

/** A process whose entry lives in a script of the test's own: real processes that really die. */
function processOf(script: string) {
  const file = path.join(temporaryFolder(), "entry.mjs");
  writeFileSync(file, script);
  const process = createScorerProcess({ entry: file });
  onTestFinished(() => process.close());
  return process;
}

/** Answers like the scoring process; an image whose name holds "kill" ends it. It writes its starts and work to `log`. */
function mortal(log: string, delayMs = 5): string {
  return `
    import { appendFileSync } from "node:fs";
    const tell = (text) => appendFileSync(${JSON.stringify(log)}, text + "\\n");
    tell("start");
    process.on("disconnect", () => process.exit());
    process.on("message", ({ id, task }) => {
      const name = task.image?.path ?? task.do;
      tell(name);
      if (name.includes("kill")) process.kill(process.pid, "SIGKILL");
      setTimeout(() => process.send({ id, ok: true, row: task.do === "score"
        ? { hash: task.image.hash, score: 3, probabilities: null, confidence: null } : null }), ${delayMs});
    });
    process.send({ ready: true });
  `;
}

const named = (names: string[]) =>
  names.map((name) => ({ hash: `hash of ${name}`, path: `/nowhere/${name}` }));
const lines = (log: string) => readFileSync(log, "utf8").trim().split("\n");

describe("scores", () => {
  it("a student's as the engine itself gives them", async () => {
    const items = await images(temporaryFolder(), 6);
    const told = await score(items, "background");
    const own = await openStudent(studentDir);
    for await (const expected of scoreImages(own, items)) {
      if (!("score" in expected)) throw new Error(expected.reason);
      expect(told.get(expected.item.hash)).toEqual({
        hash: expected.item.hash,
        score: expected.score,
        probabilities: null,
        confidence: null,
        distance: expected.distance,
      });
      expect(expected.distance).toBeGreaterThan(0);
    }
    expect(told.size).toBe(6);
    await own.close();
  });

  it("the embedded teacher's, with probabilities and confidence", async () => {
    const [item] = await images(temporaryFolder(), 1);
    const told = (await score([item!], "now", embedded)).get(item!.hash);
    const teacher = await createEmbeddedTeacher();
    const image = { hash: item!.hash, name: "a", read: async () => readFileSync(item!.path) };
    const [judged] = await teacher.judgePoints([image]);
    await teacher.close();
    if (!judged?.ok || !told || !("score" in told)) throw new Error("no judgement");
    expect(told.probabilities).toEqual([...judged.probabilities]);
    expect(told.score).toBeCloseTo(
      judged.probabilities.reduce((sum, p, i) => sum + p * (5 - i), 0),
      12,
    );
    expect(told.confidence).toBeGreaterThanOrEqual(0);
    expect(told.confidence).toBeLessThanOrEqual(1);
  });

  it("says why an image has none, and scores the others", async () => {
    const dir = temporaryFolder();
    const [good] = await images(dir, 1);
    const broken = put(dir, "broken.png", readFileSync(good!.path).subarray(0, 60));
    const text = put(dir, "text.jpg", Buffer.from("no image"));
    const gone = { hash: "0".repeat(32), path: path.join(dir, "gone.png") };
    const changed = { hash: "1".repeat(32), path: good!.path };
    const told = await score([broken, text, gone, changed, good!]);
    expect(told.size).toBe(5);
    expect(told.get(broken.hash)).toMatchObject({ reason: expect.stringContaining("truncated") });
    expect(told.get(text.hash)).toMatchObject({ reason: "text.jpg: not an image of a known format." });
    expect(told.get(gone.hash)).toMatchObject({ reason: expect.stringContaining("it does not exist") });
    expect(told.get(changed.hash)).toMatchObject({ reason: expect.stringContaining("has changed since") });
    expect(told.get(good!.hash)).toMatchObject({ score: expect.any(Number) });
  });

  it("fails at once where there is no student", async () => {
    const items = await images(temporaryFolder(), 3);
    const nobody: Scorer = { ...student, dir: temporaryFolder(), fingerprint: "nobody" };
    await expect(score(items, "now", nobody)).rejects.toMatchObject({ code: "input", message: /no student/ });
    await expect(scorer.open(nobody)).rejects.toMatchObject({ code: "input" });
    expect((await score(items)).size).toBe(3);
  });

  it("stops when told to, and what is asked next goes on", async () => {
    const items = await images(temporaryFolder(), 40);
    const controller = new AbortController();
    let n = 0;
    const stopped = scorer.score(student, items, {
      priority: "background",
      signal: controller.signal,
      onScored() {
        if (++n === 3) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: "cancelled" });
    await score(items.slice(0, 2));
    expect(n).toBe(3);
  });

  it("what is asked for now overtakes the background", async () => {
    const log = path.join(temporaryFolder(), "log");
    const process = processOf(mortal(log, 10));
    const background = named(Array.from({ length: 40 }, (_, i) => `background${i}`));
    const order: string[] = [];
    const all = process
      .score(student, background, { priority: "background", onScored() {} })
      .then(() => order.push("all"));
    await setTimeout(150);
    await score(named(["urgent"]), "now", student, process);
    order.push("urgent");
    await all;
    expect(order).toEqual(["urgent", "all"]);
    const done = lines(log).filter((line) => line !== "start");
    const place = done.findIndex((line) => line.includes("urgent"));
    expect(place).toBeLessThan(38);
    expect(done.length).toBe(41);
  });
});

describe("pictures", () => {
  const make = async (bytes: Buffer, name: string, size: "small" | "full") => {
    const dir = temporaryFolder();
    const item = put(dir, name, bytes);
    const file = pictureFile(path.join(dir, "cache"), item.hash, size);
    expect(await scorer.picture({ ...item, file, size })).toBe(file);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
    const { data, info } = await sharp(readFileSync(file))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { file, data, info, format: (await sharp(file).metadata()).format };
  };

  it("small: upright WebP of at most 320 px, close to the image", async () => {
    const jpeg = await picture(900, 600, 3).withMetadata({ orientation: 6 }).jpeg({ quality: 95 }).toBuffer();
    const { data, info, format, file } = await make(jpeg, "a.jpg", "small");
    expect(file).toMatch(/cache\/pictures\/([0-9a-f]{2})\/\1[0-9a-f]{30}-small\.webp$/);
    expect(format).toBe("webp");
    expect([info.width, info.height]).toEqual([213, 320]);
    const expected = await sharp(gradient(900, 600, 3), { raw: { width: 900, height: 600, channels: 3 } })
      .rotate(90)
      .resize(213, 320, { fit: "fill" })
      .removeAlpha()
      .raw()
      .toBuffer();
    expect(meanDifference(data, expected)).toBeLessThan(3);
  });

  it("small: nothing is enlarged, transparency lies over white, every format works", async () => {
    const clear = picture(100, 40).ensureAlpha(0);
    const png = await make(await clear.png().toBuffer(), "a.png", "small");
    expect([png.info.width, png.info.height]).toEqual([100, 40]);
    expect(Math.min(...png.data)).toBeGreaterThan(250);
    for (const [name, bytes] of Object.entries({
      "a.tif": await picture(400, 300).tiff({ compression: "lzw" }).toBuffer(),
      "a.webp": await picture(400, 300).webp().toBuffer(),
      "a.gif": await picture(400, 300).gif().toBuffer(),
      "grey16.png": await picture(400, 300).greyscale().toColourspace("grey16").png().toBuffer(),
    })) {
      const { info } = await make(bytes, name, "small");
      expect([name, info.width, info.height, info.channels]).toEqual([name, 320, 240, 3]);
    }
  });

  it("full: every pixel of what a browser cannot show", async () => {
    const { data, info } = await make(
      await picture(500, 400, 9).tiff({ compression: "lzw" }).toBuffer(),
      "a.tif",
      "full",
    );
    expect([info.width, info.height]).toEqual([500, 400]);
    expect(data.equals(gradient(500, 400, 9))).toBe(true);
    const large = await make(
      await picture(5000, 20).tiff({ compression: "lzw" }).toBuffer(),
      "b.tif",
      "full",
    );
    expect(large.info.width).toBe(4096);
    expect(["jpeg", "png", "webp", "avif", "gif", "bmp"].every(shownByBrowsers)).toBe(true);
    expect(["tiff", "heic"].some(shownByBrowsers)).toBe(false);
  });

  it("says why there is none, and writes nothing", async () => {
    const dir = temporaryFolder();
    const item = put(dir, "text.png", Buffer.from("no image"));
    const file = path.join(dir, "out.webp");
    await expect(scorer.picture({ ...item, file, size: "small" })).rejects.toMatchObject({
      code: "input",
      message: "text.png: not an image of a known format.",
    });
    expect(existsSync(file)).toBe(false);
  });

  it("the newest asked for comes first", async () => {
    const log = path.join(temporaryFolder(), "log");
    const process = processOf(mortal(log, 20));
    const pictures = named(["a", "b", "c", "d", "e"]);
    await Promise.all(pictures.map((item) => process.picture({ ...item, file: "out", size: "small" })));
    const done = lines(log).filter((line) => line !== "start");
    expect(done.slice(2)).toEqual(["/nowhere/e", "/nowhere/d", "/nowhere/c"]);
  });
});

describe("the process", () => {
  it("starts again after a crash; only the image that ended it fails", async () => {
    const log = path.join(temporaryFolder(), "log");
    const process = processOf(mortal(log));
    const items = named(["a", "b", "kill", "c", "d", "e"]);
    const told = await score(items, "background", student, process);
    expect(told.size).toBe(6);
    for (const { hash, path: file } of items) {
      if (file.includes("kill"))
        expect(told.get(hash)).toMatchObject({ reason: "kill: it ended the scoring process (SIGKILL)." });
      else expect(told.get(hash)).toMatchObject({ score: 3 });
    }
    expect(lines(log).filter((line) => line === "start").length).toBe(3);
    expect(lines(log).filter((line) => line.includes("kill")).length).toBe(2);
  });

  it("is left alone when it ends whatever it is given", async () => {
    const log = path.join(temporaryFolder(), "log");
    const process = processOf(mortal(log));
    const items = named(Array.from({ length: 50 }, (_, i) => `kill${i}`));
    await expect(score(items, "background", student, process)).rejects.toMatchObject({
      code: "failed",
      message: "The scoring process ended 5 times in a row (SIGKILL).",
    });
    expect(lines(log).filter((line) => line === "start").length).toBe(5);
    expect((await score(named(["a"]), "now", student, process)).size).toBe(1);
  });

  it("says so when it cannot start, and tries again with the next request", async () => {
    const process = processOf(`console.error("libvips is missing"); process.exit(7);`);
    for (let i = 0; i < 2; i++)
      await expect(score(named(["a"]), "now", student, process)).rejects.toMatchObject({
        code: "environment",
        message: "The scoring process cannot start (exit code 7: libvips is missing).",
      });
  });

  it("comes back when it was killed while idle", async () => {
    const log = path.join(temporaryFolder(), "log");
    const own = processOf(`${mortal(log)}; tell("pid " + process.pid);`);
    await score(named(["a"]), "now", student, own);
    const pid = Number(
      lines(log)
        .find((line) => line.startsWith("pid "))!
        .slice(4),
    );
    process.kill(pid, "SIGKILL");
    await setTimeout(100);
    expect((await score(named(["b"]), "now", student, own)).size).toBe(1);
  });

  it("rejects what is open when it is closed", async () => {
    const process = processOf(mortal(path.join(temporaryFolder(), "log"), 1000));
    const open = score(named(["a", "b", "c"]), "background", student, process);
    const rejected = expect(open).rejects.toMatchObject({ code: "cancelled" });
    await setTimeout(200);
    await process.close();
    await rejected;
    await expect(score(named(["a"]), "now", student, process)).rejects.toMatchObject({ code: "cancelled" });
  });

  it("runs at low priority and ends at once with its parent", async () => {
    const dir = temporaryFolder();
    const items = await images(dir, 1);
    const parent = path.join(dir, "parent.ts");
    mkdirSync(path.join(dir, "cache"));
    writeFileSync(
      parent,
      `
      import { createScorerProcess } from ${JSON.stringify(path.resolve("src/engine/scoring/process.ts"))};
      const scorer = createScorerProcess({ entry: ${JSON.stringify(entry)} });
      await scorer.score(${JSON.stringify(student)}, ${JSON.stringify(items)}, { priority: "now", onScored() {} });
      console.log("scored");
      setInterval(() => {}, 1000);
      `,
    );
    const child = spawn(process.execPath, [parent], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const tasks = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
      .trim()
      .split(" ")
      .map(Number);
    expect(tasks.length).toBe(1);
    const threads = readdirSync(`/proc/${tasks[0]}/task`).map((thread) =>
      // The 19th field; the name in the second may hold spaces.
      Number(readFileSync(`/proc/${tasks[0]}/task/${thread}/stat`, "utf8").split(") ")[1]!.split(" ")[16]),
    );
    expect(threads.length).toBeGreaterThan(4);
    expect(threads.filter((nice) => nice !== 10)).toEqual([]);
    child.kill("SIGKILL");
    for (let i = 0; i < 40 && isAlive(tasks[0]!); i++) await setTimeout(50);
    expect(isAlive(tasks[0]!)).toBe(false);
  });
});
