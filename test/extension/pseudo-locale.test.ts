import { expect, test } from "vitest";
import { consentText } from "../../src/extension/consentText.ts";
import { failureMessage } from "../../src/extension/failureText.ts";
import {
  decorationTooltip,
  scoringMessage,
  statusText,
  statusTooltip,
} from "../../src/extension/images/imageWords.ts";
import { runDescription, runTooltip } from "../../src/extension/runWords.ts";
import { pipelineRows, projectRow, type Row } from "../../src/extension/views/stageWords.ts";
import { progressDetails, progressLine, rateText } from "../../src/words/progress.ts";
import { quoted, say } from "../../src/words/text.ts";
import { whyWords } from "../../src/words/why.ts";
import { pseudo as t, untranslated } from "../support/pseudoLocale.ts";
import { image, job, progress, project, run, stage } from "./samples.ts";

const now = Date.parse("2026-11-24T12:00:00Z");
const said = (texts: (string | undefined | null)[]) =>
  texts.flatMap((text) => {
    const left = untranslated(text ?? "", /photos|PNG|WebP/g);
    return left.length > 0 ? [`${left.join(" ")} ← ${text}`] : [];
  });
const wordsOf = (rows: Row[]): string[] =>
  rows.flatMap(({ label, description, tooltip, children }) => [
    label,
    description,
    tooltip,
    ...wordsOf(children ?? []),
  ]);

test("the trees say everything in the editor's language", () => {
  const stages = [
    stage({ headline: t("{0} human scores", 3), updated: "2026-11-24T11:48:00Z", run: "r12" }),
    stage({ stage: "distill", state: "stale", reason: { kind: "changed", changes: [{ key: "images" }] } }),
    stage({ stage: "calibrate", state: "missing" }),
    stage({
      stage: "evaluate",
      state: "failed",
      reason: { kind: "upstream", stage: "distill", state: "stale" },
      failures: {
        total: 30,
        first: [{ kind: "score", file: "a.png", reason: "the WebP data is truncated" }],
        reasons: [{ reason: "the WebP data is truncated", count: 29 }],
        list: "file:///w/list.txt",
      },
    }),
  ];
  const running = project({
    stages,
    stale: 3,
    job: job({ progress: progress({ rate: 3, secondsLeft: 99 }) }),
  });
  expect(said(wordsOf(pipelineRows(project({ stages, stale: 3 }), now, t)))).toEqual([]);
  expect(said(wordsOf(pipelineRows(running, now, t)))).toEqual([]);
  expect(said(wordsOf([projectRow(running, t), projectRow(project(), t)]))).toEqual([]);
});

test("runs, images and progress too", () => {
  const runs = [
    run(),
    run({ state: "failed", evaluation: null, reason: say`Cancelled.` }),
    run({ evaluation: null, agreement: { n: 9, srcc: 0.5, plcc: 0.5 } }),
    run({ changes: [{ key: "distill.epochs", before: 20, after: 30 }, { key: "ratings" }] }),
  ];
  expect(said(runs.flatMap((one) => [runDescription(one, now, t), runTooltip(one, now, t)]))).toEqual([]);
  const view = {
    row: image({ far: true, mos: 3, mosStd: 0.2 }),
    project: { config: "file:///w/leaf.yaml", name: "leaf.yaml", imagesName: "photos" },
    scorer: project().scorer!,
    mosRange: [1, 5] as [number, number],
  };
  expect(
    said([
      statusText(view, t),
      statusText({ ...view, row: image({ score: null }) }, t),
      statusTooltip(view, t),
      decorationTooltip(
        { score: 3, scale: [1, 5], rank: { share: 0.5, of: 40 }, scorer: view.scorer.title },
        t,
      ),
      scoringMessage(project({ scored: { done: 1, total: 4, busy: true } }), t),
    ]),
  ).toEqual([]);
  for (const step of ["points", "pairs", "decode", "epoch 3 of 20", "installing packages"]) {
    const at = progress({ step, rate: 0.2, secondsLeft: 3700, detail: rateText(96, "images") });
    expect(said([progressLine(t, at), progressDetails(t, at)]), step).toEqual([]);
  }
  expect(said([whyWords(t, { kind: "studentGone" }), progressLine(t, null)])).toEqual([]);
});

test("failures and what the user is asked", () => {
  const failure = failureMessage({ code: "environment", message: t("Cancelled."), remedy: "x" }, t);
  expect(said([failure?.text, ...(failure?.actions ?? []).map(({ title }) => title)])).toEqual([]);
  const item = {
    kind: "server" as const,
    digest: "d",
    title: t("Start the teacher's server"),
    words: quoted(""),
    details: [],
    detailWords: [],
    path: ["teacher", "serve"],
    file: "/w/leaf.yaml",
    line: 7,
  };
  const { title, detail } = consentText([item], t) as { title?: string; detail?: string };
  expect(said([title, detail])).toEqual([]);
});
