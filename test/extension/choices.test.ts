import { describe, expect, it } from "vitest";
import { scoreCache } from "../../src/extension/images/scoreCache.ts";
import { urisOfArguments } from "../../src/extension/images/scoreTargets.ts";
import { chooseProject } from "../../src/extension/projects/choice.ts";
import { contextKeys, isRunning } from "../../src/extension/projects/contextKeys.ts";
import { runOfTarget } from "../../src/extension/reportTarget.ts";
import { quoted } from "../../src/words/text.ts";
import { job, project, stage } from "./samples.ts";

const a = project({ config: "file:///w/a/leaf.yaml", folder: "file:///w/a" });
const b = project({ config: "file:///w/b/leaf.yaml", folder: "file:///w/b", job: job() });
const uri = (text: string) => ({ scheme: "file", path: text, toString: () => `file://${text}` });

describe("which project a command means", () => {
  it("is the one it is given, as text, as a Uri or as a node of a tree", () => {
    const one = { kind: "one", config: b.config };
    expect(chooseProject([a, b], b.config, null)).toEqual(one);
    expect(chooseProject([a, b], uri("/w/b/leaf.yaml"), null)).toEqual(one);
    expect(chooseProject([a, b], { config: b.config, row: {} }, null)).toEqual(one);
  });

  it("is the one whose folder holds the file that it is given", () => {
    expect(chooseProject([a, b], uri("/w/b/photos/x.png"), null)).toEqual({ kind: "one", config: b.config });
    const inner = project({ config: "file:///w/b/c/leaf.yaml", folder: "file:///w/b/c" });
    expect(chooseProject([a, b, inner], uri("/w/b/c/x.png"), null)).toEqual({
      kind: "one",
      config: inner.config,
    });
  });

  it("is a config that the server does not know yet, if that is what was given", () => {
    expect(chooseProject([a], "file:///x/leaf.yaml", null)).toEqual({
      kind: "one",
      config: "file:///x/leaf.yaml",
    });
  });

  it("is the active editor's, then the only one, then one that is picked", () => {
    expect(chooseProject([a, b], undefined, a.config)).toEqual({ kind: "one", config: a.config });
    expect(chooseProject([a], undefined, "file:///w/readme.md")).toEqual({ kind: "one", config: a.config });
    expect(chooseProject([a, b], undefined, null)).toEqual({ kind: "pick", projects: [a, b] });
    expect(chooseProject([], undefined, null)).toEqual({ kind: "none" });
  });

  it("is one for which it makes sense", () => {
    expect(chooseProject([a, b], undefined, null, isRunning)).toEqual({ kind: "one", config: b.config });
    // The active editor's project does not run: stopping means the other.
    expect(chooseProject([a, b], undefined, a.config, isRunning)).toEqual({ kind: "one", config: b.config });
    expect(chooseProject([b], undefined, null, (one) => !isRunning(one))).toEqual({
      kind: "one",
      config: b.config,
    });
  });
});

describe("context keys", () => {
  it("follow the projects", () => {
    expect(Object.values(contextKeys([])).every((value) => value === false)).toBe(true);
    const labelled = project({ stages: [stage({ headline: "40 images", run: "r1" })] });
    expect(contextKeys([labelled])).toEqual({
      "leaf.hasProject": true,
      "leaf.hasSeveralConfigs": false,
      "leaf.running": false,
      "leaf.hasStudent": true,
      "leaf.hasMos": true,
      "leaf.rateable": true,
      "leaf.hasLabels": true,
      "leaf.hasRuns": true,
      "leaf.startable": true,
    });
    expect(contextKeys([b])).toMatchObject({ "leaf.running": true, "leaf.startable": false });
    expect(contextKeys([project({ invalid: "no" })])).toMatchObject({ "leaf.startable": false });
  });
});

describe("what is scored", () => {
  it("is what a hover, the panel, the Explorer or a tree gave", () => {
    expect(urisOfArguments(["file:///a.png"])).toEqual(["file:///a.png"]);
    expect(urisOfArguments([["file:///a.png", "file:///b.png", "file:///a.png"]])).toEqual([
      "file:///a.png",
      "file:///b.png",
    ]);
    expect(urisOfArguments([uri("/a.png"), [uri("/a.png"), uri("/b")]])).toEqual([
      "file:///a.png",
      "file:///b",
    ]);
    expect(urisOfArguments([{ kind: "image", row: { uri: "file:///a.png" } }])).toEqual(["file:///a.png"]);
    expect(urisOfArguments([undefined])).toEqual([]);
  });
});

describe("the cache of scores", () => {
  const score = (value: number) => ({
    score: value,
    rank: null,
    scorer: quoted("s"),
    scale: [1, 5] as [number, number],
  });

  it("asks once for all of a moment, and not again for what it knows", async () => {
    const asked: string[][] = [];
    const cache = scoreCache(
      async (uris) => {
        asked.push(uris);
        return uris.map((one) => (one === "b" ? null : score(uris.indexOf(one))));
      },
      { waitMs: 1 },
    );
    expect(await Promise.all(["a", "b", "c", "a"].map(cache.get))).toEqual([
      score(0),
      null,
      score(2),
      score(0),
    ]);
    expect(await cache.get("c")).toEqual(score(2));
    expect(asked).toEqual([["a", "b", "c"]]);
    cache.forget(["c"]);
    await cache.get("c");
    expect(asked).toEqual([["a", "b", "c"], ["c"]]);
  });

  it("keeps no more than it may, and asks again after a failure", async () => {
    let calls = 0;
    const cache = scoreCache(
      async (uris) => {
        if (++calls === 1) throw new Error("no server");
        return uris.map(() => score(3));
      },
      { capacity: 2, waitMs: 1 },
    );
    expect(await cache.get("a")).toBeNull();
    expect(await cache.get("a")).toEqual(score(3));
    await cache.get("b");
    await cache.get("c");
    expect(calls).toBe(4);
    await cache.get("a");
    expect(calls).toBe(5);
  });
});

describe("the run of a report", () => {
  it("is that of a tree's node or the one that is named; else the newest", () => {
    const node = { config: a.config, run: { id: "r7" }, name: "r7" };
    // A view's menu hands over the selection as well.
    expect(runOfTarget(node, [node])).toBe("r7");
    expect(runOfTarget(a.config, "r3")).toBe("r3");
    expect(runOfTarget({ config: a.config, run: null, name: "a" }, undefined)).toBeUndefined();
    expect(runOfTarget(undefined, undefined)).toBeUndefined();
    expect(runOfTarget(uri("/w/a/leaf.yaml"), [uri("/w/a/leaf.yaml")])).toBeUndefined();
  });
});
