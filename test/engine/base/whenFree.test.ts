import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { shortWaitMs, whenFree } from "../../../src/engine/base/whenFree.ts";
import { labelDataset } from "../../../src/engine/labelling/labelling.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import type { Teacher } from "../../../src/engine/teachers/teacher.ts";
import { inEnglish } from "../../../src/words/text.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const h = (i: number) => i.toString(16).padStart(32, "0");
const held: ChildProcess[] = [];
afterEach(() => {
  for (const child of held.splice(0)) child.kill("SIGKILL");
});

/** Another process that holds a store, until it is told to let go. */
async function hold(
  file: string,
  by = "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
): Promise<{ pid: number; letGo(): void }> {
  const script = `const { DatabaseSync } = require("node:sqlite");
    const db = new DatabaseSync(process.argv[1]);
    db.exec(process.argv[2]);
    process.stdout.write("held"); process.stdin.once("data", () => process.exit(0));`;
  const child = spawn(process.execPath, ["-e", script, file, by], { stdio: ["pipe", "pipe", "inherit"] });
  held.push(child);
  await new Promise((resolve) => child.stdout!.once("data", resolve));
  return { pid: child.pid!, letGo: () => void child.stdin!.write("\n") };
}

function newStore(): string {
  const file = path.join(temporaryFolder(), "labels.sqlite");
  openLabels(file).close();
  return file;
}
const open = (file: string) => () => openLabels(file, { waitMs: shortWaitMs });

describe("a store that another process holds", () => {
  it("is waited for, and told of with who holds it", async () => {
    const file = newStore();
    const { pid, letGo } = await hold(file);
    const notes: string[] = [];
    const store = await whenFree(file, open(file), {
      onNote(note) {
        notes.push(inEnglish(note));
        letGo();
      },
    });
    store.close();
    expect(notes).toHaveLength(1);
    const who = process.platform === "linux" ? `process ${pid} \\(` : "another process";
    expect(notes[0]).toMatch(new RegExp(`^Waiting for .*labels\\.sqlite: ${who}.*holds it \\([23] s\\)\\.$`));
  });

  it("for too long is a sentence with a remedy", async () => {
    const file = newStore();
    await hold(file);
    await expect(whenFree(file, open(file), { patienceMs: 300 })).rejects.toMatchObject({
      name: "LeafError",
      code: "failed",
      file,
      message: expect.stringMatching(/has been held by .* for over 0 s\.$/),
      remedy: expect.stringContaining("a database browser"),
    });
  });

  it("can be given up at once", async () => {
    const file = newStore();
    await hold(file);
    const controller = new AbortController();
    const waiting = whenFree(file, open(file), { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    const begun = performance.now();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it("from the middle of labelling on loses no answer", async () => {
    const file = newStore();
    const store = open(file)();
    let holder: Awaited<ReturnType<typeof hold>> | undefined;
    const notes: string[] = [];
    const teacher: Teacher = {
      kind: "fake",
      fingerprint: "t",
      description: {},
      batchSize: 2,
      async judgePoints(images) {
        holder ??= await hold(file, "BEGIN IMMEDIATE");
        return images.map(() => ({ ok: true, probabilities: [0, 0, 1, 0, 0], mass: 1 }));
      },
      judgePairs: async (pairs) => pairs.map(() => ({ ok: true, pAB: 0.9, pBA: 0.9 })),
      close: async () => {},
    };
    const images = Array.from({ length: 6 }, (_, i) => ({
      hash: h(i),
      name: h(i),
      read: async () => Buffer.alloc(0),
    }));
    const result = await labelDataset({
      store,
      teacher,
      images: () => images,
      pairs: { perImage: 2, strategy: "near", seed: 0 },
      minConfidence: 0,
      onNote(note) {
        notes.push(inEnglish(note));
        holder!.letGo();
      },
    });
    expect(result).toMatchObject({ points: { labelled: 6, failed: 0 }, pairs: { failed: 0 } });
    expect([...store.points("t")]).toHaveLength(6);
    expect(notes).toHaveLength(1);
    store.close();
  }, 15_000);
});
