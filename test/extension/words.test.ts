import { describe, expect, it } from "vitest";
import type { LogOutputChannel } from "vscode";
import { forgetSecrets, knowSecrets } from "../../src/engine/base/redact.ts";
import { crashCounter } from "../../src/extension/crashes.ts";
import { failureMessage, failureOf } from "../../src/extension/failureText.ts";
import {
  decorationTooltip,
  scoringMessage,
  statusText,
  statusTooltip,
} from "../../src/extension/images/imageWords.ts";
import { mentionsSecret, redacted } from "../../src/extension/redactedChannel.ts";
import { fileNameOf, runDescription, runTooltip, shownRuns } from "../../src/extension/runWords.ts";
import { pipelineRows, projectRow } from "../../src/extension/views/stageWords.ts";
import { describeKey } from "../../src/server/language/describe.ts";
import { quoted, say } from "../../src/words/text.ts";
import { english as t } from "../../src/words/translate.ts";
import { tokensOf } from "../support/markdownReader.ts";
import { image, job, progress, project, run, stage } from "./samples.ts";

describe("the runs of a folder with several configs", () => {
  const night = "file:///w/a%20night.leaf.yaml";
  const runs = [run({ id: "r3" }), run({ id: "r2", config: night }), run({ id: "r1", pinned: true })];

  it("are those of one config under its row, pinned ones first", () => {
    expect(shownRuns(runs, "file:///w/leaf.yaml").map(({ id }) => id)).toEqual(["r1", "r3"]);
    expect(shownRuns(runs, night).map(({ id }) => id)).toEqual(["r2"]);
    expect(shownRuns(runs, undefined).map(({ id }) => id)).toEqual(["r1", "r3", "r2"]);
    expect(fileNameOf(night)).toBe("a night.leaf.yaml");
  });
});

describe("failures", () => {
  it("are one sentence with the remedy, and a button that helps", () => {
    const message = failureMessage(
      {
        code: "environment",
        message: "There is no Python environment to train with yet",
        remedy: "Run `leaf env`",
      },
      t,
    );
    expect(message?.text).toBe("There is no Python environment to train with yet.");
    expect(message?.actions.map(({ title }) => title)).toEqual([
      "Set Up Training Environment",
      "Select Python Interpreter",
    ]);
  });

  it("say what to do in the editor's words, with its command as a button", () => {
    const failure = {
      code: "failed",
      message: "The images are not labelled yet.",
      remedy: "Run `leaf label` first.",
    } as const;
    expect(failureMessage(failure, t)).toEqual({
      text: "The images are not labelled yet. Run “Label with Teacher” first.",
      actions: [
        { title: "Label with Teacher", command: "leaf.label" },
        { title: "Show Log", command: "leaf.showLog" },
      ],
    });
  });

  it("of a config lead to its line", () => {
    const failure = {
      code: "config",
      message: "Unknown key.",
      file: "/a/leaf.yaml",
      line: 3,
      column: 5,
    } as const;
    expect(failureMessage(failure, t)?.actions).toEqual([
      { title: "Open leaf.yaml", file: "/a/leaf.yaml", line: 3, column: 5 },
    ]);
  });

  it("say nothing of what was cancelled", () => {
    expect(failureMessage({ code: "cancelled", message: "Cancelled." }, t)).toBeNull();
  });

  it("come from a response error's data, else from its message", () => {
    const failure = { code: "input", message: "No such image." };
    expect(failureOf(Object.assign(new Error("x"), { data: failure }))).toEqual(failure);
    expect(failureOf(new Error("lost"))).toEqual({ code: "internal", message: "lost" });
  });
});

describe("crashes", () => {
  it("are forgiven four times within three minutes, and again later", () => {
    let now = 0;
    const crashes = crashCounter(undefined, () => now);
    const again = () => {
      now += 1_000;
      return crashes.restartAfterCrash();
    };
    expect([again(), again(), again(), again(), again()]).toEqual([true, true, true, true, false]);
    now += 4 * 60_000;
    expect(again()).toBe(true);
  });
});

describe("quality", () => {
  it("is never a bare number", () => {
    const known = {
      score: 3.6182,
      rank: { share: 0.714, of: 152 },
      scorer: project().scorer!.title,
      scale: [1, 5] as [number, number],
    };
    expect(decorationTooltip(known, t)).toBe(
      "LEAF quality 3.62 / 5, better than 71 % of 152 scored images (student r12 · calibrated)",
    );
  });

  it("of the open image is told with all that is known", () => {
    const view = {
      row: image({ score: 3.62, rank: { share: 0.71, of: 152 }, mos: 3.4 }),
      project: { config: "file:///w/leaf.yaml", name: "leaf.yaml", imagesName: "photos" },
      scorer: project().scorer!,
      mosRange: [1, 5] as [number, number],
    };
    expect(statusText(view, t)).toBe("3.62 / 5");
    const tooltip = statusTooltip(view, t);
    expect(tooltip).toContain("Quality 3.62 / 5 · better than 71 % of 152 scored images");
    expect(tooltip).toContain("MOS 3.40 / 5");
    expect(tooltip).toContain("command:leaf.openPanel?");
    expect(statusText({ ...view, row: image({ score: null }) }, t)).toBe("not scored");
  });

  it("of a teacher's alone says so", () => {
    const scorer = { ...project().scorer!, kind: "embedded" as const, title: say`embedded teacher` };
    expect(scoringMessage(project({ scorer }), t)).toBe(
      "Scores of the embedded teacher. Distill a student for your images.",
    );
    expect(
      scoringMessage(project({ scorer, scored: { done: 0, total: 0, busy: false } }), t),
    ).toBeUndefined();
    expect(scoringMessage(project({ scored: { done: 1200, total: 4000, busy: true } }), t)).toBe(
      "Scoring 1,200 of 4,000 images …",
    );
  });
});

describe("runs", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");

  it("show their metrics, or what state they are in", () => {
    expect(runDescription(run(), now, t)).toBe(
      "SRCC 0.861 [0.840, 0.880] · PLCC 0.867 · n = 120 · 12 min ago",
    );
    expect(runDescription(run({ evaluation: null }), now, t)).toBe(
      "agrees with the teacher: SRCC 0.930, n = 400 · 12 min ago",
    );
    expect(runDescription(run({ state: "failed" }), now, t)).toBe("failed · 12 min ago");
  });

  it("tell each number with n and interval in the tooltip", () => {
    const tooltip = runTooltip(run({ changes: [{ key: "distill.epochs", before: 20, after: 30 }] }), now, t);
    expect(tooltip).toContain("SRCC 0.861 [0.840, 0.880]");
    expect(tooltip).toContain("test, n = 120");
    expect(tooltip).toContain("distill\\.epochs\\: 20 → 30");
  });
});

describe("pipeline", () => {
  const now = Date.parse("2026-11-24T12:00:00Z");

  it("shows a headline, or why a stage is stale", () => {
    const rows = pipelineRows(
      project({
        stages: [
          stage({ stage: "label", headline: "4,000 images, 16,000 pairs (1,912 discarded)" }),
          stage({
            stage: "distill",
            state: "stale",
            reason: { kind: "changed", changes: [{ key: "distill.epochs", before: 20, after: 30 }] },
            headline: "agrees 0.93",
          }),
          stage({ stage: "calibrate", state: "missing" }),
          stage({
            stage: "evaluate",
            state: "failed",
            reason: { kind: "failed", message: quoted("no test images") },
          }),
        ],
      }),
      now,
      t,
    );
    expect(rows.map(({ label, description, icon }) => [label, description, icon])).toEqual([
      ["Images", "4,000", "file-media"],
      ["Human scores", "40 · mos.csv", "account"],
      ["Label", "4,000 images, 16,000 pairs (1,912 discarded)", "pass"],
      ["Distill", "stale: distill.epochs: 20 → 30", "circle-filled"],
      ["Calibrate", "not run yet", "circle-outline"],
      ["Evaluate", "failed: no test images", "error"],
    ]);
  });

  it("names under a stage what it left out, and opens the file, the image and nothing above the folder", () => {
    const failures = {
      total: 598,
      first: [
        { kind: "point" as const, file: "photos/a b.jpg", reason: "the JPEG data is truncated" },
        { kind: "pair" as const, file: "photos/c.jpg", other: "photos/d.jpg", reason: "HTTP 400" },
        { kind: "row" as const, file: "../../etc/passwd", line: 3, reason: "HTTP 400" },
      ],
      reasons: [
        { reason: "HTTP 400 [x](command:y)", count: 597 },
        { reason: "the JPEG data is truncated", count: 1 },
      ],
      list: "file:///w/.leaf/stages/label/k/failures.jsonl",
    };
    const [, , label, distill] = pipelineRows(
      project({
        stages: [
          stage({ stage: "label", failures }),
          stage({ stage: "distill", headline: "agrees 0.93", failures }),
        ],
      }),
      now,
      t,
    );
    expect(label).toMatchObject({ icon: "warning" });
    expect(label!.tooltip).toContain("598 failed");
    expect(label!.tooltip).toContain("597 × HTTP 400");
    expect(label!.tooltip).not.toContain("](command:y)");
    expect(label!.children!.map(({ label, description, opens }) => [label, description, opens])).toEqual([
      ["photos/a b.jpg", "the JPEG data is truncated", `${project().folder}/photos/a%20b.jpg`],
      ["photos/c.jpg and photos/d.jpg", "HTTP 400", `${project().folder}/photos/c.jpg`],
      ["../../etc/passwd:3", "HTTP 400", undefined],
      ["Show all 598 failures", "", failures.list],
    ]);
    expect(new Set(label!.children!.map(({ id }) => id)).size).toBe(4);
    expect(distill!.description).toBe("agrees 0.93 · 598 failed");
  });

  it("shows progress at the stage that runs and keeps the others from being started", () => {
    const running = project({
      job: job({
        kind: "run",
        progress: progress({ stage: "distill", step: "epoch 3 of 20", done: 15, total: 100 }),
      }),
      stages: [stage({ stage: "label" }), stage({ stage: "distill", state: "running" })],
    });
    const [, , label, distill] = pipelineRows(running, now, t);
    expect(distill).toMatchObject({
      description: "epoch 3 of 20 · 15 %",
      icon: "loading~spin",
      contextValue: "stage.distill.busy",
    });
    expect(label?.contextValue).toBe("stage.label.busy");
    expect(projectRow(running, t)).toMatchObject({ contextValue: "project.busy" });
  });

  it("says why a config cannot be used", () => {
    const [row] = pipelineRows(project({ invalid: "leaf.yaml:3:1: unknown key", stages: [] }), now, t);
    expect(row).toMatchObject({ id: "invalid", description: "leaf.yaml:3:1: unknown key" });
  });
});

describe("Markdown", () => {
  it("comes from no name, key or word of others: only LEAF's own commands are linked", () => {
    const evil =
      "x](command:leaf.run?%5B%5D) [a](https://e.vil) <command:leaf.stop> ![i](https://e.vil/a.png)";
    const linked = (markdown: string) =>
      tokensOf(markdown).flatMap(({ type, attrs, content }) =>
        type === "link_open" || type === "image" || type === "html_inline" || type === "html_block"
          ? [String(Object.fromEntries(attrs ?? []).href ?? content).split("?")[0]]
          : [],
      );
    const view = {
      row: image({ path: `photos/${evil}`, format: evil, score: 3 }),
      project: { config: `file:///w/${encodeURI(evil)}/leaf.yaml`, name: evil, imagesName: evil },
      scorer: { ...project().scorer!, title: quoted(evil) },
      mosRange: [1, 5] as [number, number],
    };
    expect(linked(statusTooltip(view, t))).toEqual(["command:leaf.openPanel", "command:leaf.score"]);
    expect(
      linked(
        runTooltip(
          run({ id: evil, changes: [{ key: evil, before: evil, after: evil }], gitCommit: evil }),
          0,
          t,
        ),
      ),
    ).toEqual([]);
    const rows = pipelineRows(
      project({
        imagesName: evil,
        mos: { ...project().mos!, file: evil },
        scorer: view.scorer,
        stages: [
          stage({
            reason: { kind: "failed", message: quoted(evil) },
            headline: evil,
            run: evil,
            updated: "2026-11-24T11:00:00Z",
          }),
        ],
      }),
      0,
      t,
    );
    for (const { tooltip } of rows) expect(linked(tooltip), tooltip).toEqual([]);
    const key = describeKey(["teacher", "serve", "env", evil], [{ type: "string" }]);
    expect(linked(key)).toEqual([]);
  });
});

describe("the log", () => {
  it("never shows the key, in either form of trace", () => {
    expect(
      mentionsSecret(
        'Sending notification \'leaf/secrets\'.\nParams: {"teacherKeys": {"https://a.example": "sk-1"}}',
      ),
    ).toBe(true);
    expect(mentionsSecret('{"isLSPMessage":true,"message":{"method":"leaf/secrets"}}')).toBe(true);
    expect(mentionsSecret("Sending notification 'leaf/settings'.")).toBe(false);
  });

  it("is written without secrets, whoever writes", () => {
    const lines: unknown[] = [];
    const write = (...told: unknown[]) => lines.push(...told);
    const plain = { info: write, error: write, trace: write, appendLine: write, name: "LEAF" };
    const channel = redacted(plain as unknown as LogOutputChannel);
    knowSecrets(["swordfish"]);
    channel.info("asked with swordfish", "swordfish");
    channel.error(new Error("401: swordfish"));
    channel.appendLine("Authorization: Bearer abcdefgh");
    channel.trace("leaf/secrets swordfish");
    forgetSecrets();
    expect(lines.join("\n")).not.toMatch(/swordfish|abcdefgh/);
    expect(lines).toHaveLength(5);
    expect(channel.name).toBe("LEAF");
  });
});
