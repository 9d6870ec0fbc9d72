import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchFiles } from "../../../src/engine/dataset/watch/watchFiles.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const read = (file: string) => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
};

/** Watches files, and keeps what each was when it was told of last: as the server reads them. */
async function watched(files: string[], usePolling = false) {
  let told = files.map(read);
  let times = 0;
  const watch = watchFiles(() => {
    times++;
    told = files.map(read);
  });
  onTestFinished(() => watch.close());
  await watch.set(files, { usePolling });
  return {
    close: watch.close,
    times: () => times,
    async settles(limitMs = 8000) {
      const start = performance.now();
      while (JSON.stringify(told) !== JSON.stringify(files.map(read)) && performance.now() - start < limitMs)
        await setTimeout(20);
      expect(told).toEqual(files.map(read));
      return performance.now() - start;
    },
  };
}

function folder() {
  const root = temporaryFolder();
  return { root, at: (file: string) => path.join(root, file) };
}

describe("watchFiles", () => {
  it("tells soon of a write, a rename over it, a deletion and a return", async () => {
    const { at } = folder();
    writeFileSync(at("mos.csv"), "one");
    const { settles, times } = await watched([at("mos.csv")]);
    writeFileSync(at("mos.csv"), "two");
    expect(await settles()).toBeLessThan(1500);
    writeFileSync(at("new"), "six");
    renameSync(at("new"), at("mos.csv"));
    expect(await settles()).toBeLessThan(1500);
    for (const pause of [300, 900, 2100]) {
      rmSync(at("mos.csv"));
      await setTimeout(pause);
      writeFileSync(at("mos.csv"), `back ${pause}`);
      expect(await settles()).toBeLessThan(1500);
    }
    expect(times()).toBeLessThan(16);
  });

  it("follows every git checkout", { timeout: 30_000 }, async () => {
    const { root, at } = folder();
    const git = (...args: string[]) =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
        cwd: root,
        stdio: "pipe",
      });
    git("init", "-q", "-b", "all");
    writeFileSync(at("mos.csv"), "all");
    git("add", "mos.csv");
    git("commit", "-qm", "all");
    git("checkout", "-qb", "few");
    writeFileSync(at("mos.csv"), "few");
    git("commit", "-qam", "few");
    git("checkout", "-qb", "none");
    git("rm", "-q", "mos.csv");
    git("commit", "-qm", "none");
    const { settles } = await watched([at("mos.csv")]);
    for (const branch of ["all", "few", "all", "none", "few", "none", "all", "few"]) {
      git("checkout", "-q", branch);
      expect(await settles()).toBeLessThan(2500);
      expect(read(at("mos.csv"))).toBe(branch === "none" ? null : branch);
    }
  });

  it("sees a folder that comes, a link that leads elsewhere and what it leads to", async () => {
    const { at } = folder();
    const { settles } = await watched([at("scores/2024/mos.csv")]);
    mkdirSync(at("scores"));
    await setTimeout(150);
    mkdirSync(at("scores/2024"));
    writeFileSync(at("scores/2024/mos.csv"), "first");
    await settles();
    rmSync(at("scores"), { recursive: true });
    await settles();
    for (const name of ["a", "b"]) {
      mkdirSync(at(name));
      writeFileSync(at(`${name}/mos.csv`), name);
    }
    mkdirSync(at("scores"));
    symlinkSync("../a", at("scores/2024"));
    await settles();
    symlinkSync("../b", at("scores/new"));
    renameSync(at("scores/new"), at("scores/2024"));
    await settles();
    writeFileSync(at("b/mos.csv"), "changed where the link leads");
    await settles();
  });

  it("is right in the end whatever happens to the file", { timeout: 120_000 }, async () => {
    const act = fc.record({
      do: fc.constantFrom("write", "replace", "delete", "link", "folderAway", "folderBack", "swapFolder"),
      pause: fc.constantFrom(0, 1, 5, 20, 130, 400),
      content: fc.string({ maxLength: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        async (acts, usePolling) => {
          const { at } = folder();
          mkdirSync(at("in"));
          writeFileSync(at("in/mos.csv"), "start");
          const { settles, close } = await watched([at("in/mos.csv"), at("leaf.yaml")], usePolling);
          const there = () => existsSync(at("in"));
          for (const one of acts) {
            if (one.do === "write" && there()) writeFileSync(at("in/mos.csv"), one.content);
            if (one.do === "replace" && there()) {
              writeFileSync(at("tmp"), one.content);
              renameSync(at("tmp"), at("in/mos.csv"));
            }
            if (one.do === "delete") rmSync(at("in/mos.csv"), { force: true });
            if (one.do === "link" && there()) {
              writeFileSync(at(`real-${one.content.length}`), one.content);
              rmSync(at("in/mos.csv"), { force: true });
              symlinkSync(`../real-${one.content.length}`, at("in/mos.csv"));
            }
            if (one.do === "folderAway" && there() && !existsSync(at("away")))
              renameSync(at("in"), at("away"));
            if (one.do === "folderBack" && !there() && existsSync(at("away")))
              renameSync(at("away"), at("in"));
            if (one.do === "swapFolder") {
              rmSync(at("in"), { recursive: true, force: true });
              mkdirSync(at("in"));
              writeFileSync(at("in/mos.csv"), one.content);
            }
            await setTimeout(one.pause);
          }
          await settles();
          close();
        },
      ),
      { numRuns: 10 },
    );
  });

  it("says nothing where nothing happens, though files beside it change", async () => {
    const { at } = folder();
    writeFileSync(at("mos.csv"), "one");
    await setTimeout(150);
    const { times, close } = await watched([at("mos.csv")]);
    for (let i = 0; i < 50; i++) writeFileSync(at(`photo${i}.jpg`), "x");
    await setTimeout(600);
    expect(times()).toBe(0);
    close();
    writeFileSync(at("mos.csv"), "two");
    await setTimeout(400);
    expect(times()).toBe(0);
  });
});
