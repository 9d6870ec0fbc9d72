import { createRequire } from "node:module";
import fc from "fast-check";
import { parse } from "parse5";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { configSchema } from "../../../src/engine/config/config.ts";
import type { ReportData } from "../../../src/engine/report/data.ts";
import { evaluationFindings } from "../../../src/engine/report/findings.ts";
import { html } from "../../../src/engine/report/html.ts";
import { modelCard } from "../../../src/engine/report/modelCard.ts";
import { reportPage } from "../../../src/engine/report/page.ts";
import { plot, ticks } from "../../../src/engine/report/plot.ts";
import { tablesOf } from "../../../src/engine/report/reliabilityTables.ts";
import type { TeacherReliability } from "../../../src/protocol/reliability.ts";
import type { EvaluateResult, Metrics, RunRecord } from "../../../src/protocol/results.ts";
import type { StudentCard } from "../../../src/protocol/student.ts";

const hostile = [
  `<img src=x onerror=alert(1)>.png`,
  `"><script>alert(1)</script>.jpg`,
  `' onmouseover='alert(1).png`,
  `\u202egnp.exe\u202c <b>.png`,
  `</style></title><svg onload=alert(1)>`,
  `${"very-long-".repeat(60)}.png`,
  "a\u0000b\nc`$\\{d}`.png",
  "مرحبا <i>.png",
];

const metrics: Metrics = {
  n: 40,
  srcc: 0.81234,
  plcc: 0.8,
  plccLogistic: 0.82,
  krcc: 0.6,
  rmse: 0.4,
  ci95: { srcc: [0.7, 0.9], plcc: [0.71, 0.88] },
};
const card: StudentCard = {
  v: 1,
  stage: "calibrate",
  model: "atto",
  input: { resize: 48, crop: 32, views: 5 },
  mosScale: { range: [1, 5], lowerIsBetter: false },
  parameters: 3_400_000,
  exportMaxDifference: 1.2e-6,
  outputs: ["features", "map", "distance"],
  domain: { threshold: 21.5, quantile: 0.99, fitted: 300, heldOut: 60, shrinkage: 0.2 },
  provenance: {
    leaf: "0.1.0",
    created: "2026-01-02T03:04:05.000Z",
    stageKey: "abc",
    teacher: "t",
    images: 37,
    torch: "2.13.0",
    device: "cpu",
  },
};

function dataWith(name: string, change: Partial<ReportData> = {}): ReportData {
  // A config names no path with a NUL.
  const file = name.replaceAll("\0", "");
  const config = configSchema.parse({
    images: file,
    mos: { file },
    student: { model: name },
    python: { interpreter: "/home/somebody/python" },
  });
  const random = seededRandom("report");
  const evaluation: EvaluateResult = {
    ...metrics,
    run: "r3",
    split: "test",
    student: "calibrate",
    failed: 2,
    transfer: {
      datasets: [name, "empty"],
      rows: [{ student: "calibrate", cells: [{ ...metrics, failed: 0, seen: 0, far: 4 }, null] }],
    },
  };
  const run = {
    v: 1,
    id: "r3",
    configFile: "leaf.yaml",
    configHash: "x",
    config,
    created: "2026-01-01T00:00:00Z",
    updated: "2026-01-01T00:00:00Z",
    state: "done",
    stages: {
      distill: { key: "d1", seconds: 12.3, result: { student: "/home/somebody/student.onnx" } },
      evaluate: { key: "e1", seconds: 1, result: evaluation },
    },
    versions: { leaf: "0.1.0", node: "v24" },
    gitCommit: null,
  } as RunRecord;
  const predictions = Array.from({ length: 40 }, (_, i) => ({
    hash: String(i),
    path: `${i}-${name}`,
    score: 1 + i / 10 + random(),
    mos: 1 + i / 10,
    group: "",
  }));
  return {
    configName: name,
    created: "2026-01-02T03:04:05.000Z",
    run,
    config,
    card,
    dataset: {
      images: 400,
      failed: 1,
      splits: { train: 300, val: 60, test: 40 },
      rated: 400,
      problems: [`${name}: the file is empty`],
    },
    curves: {
      distill: [1, 2, 3].map((epoch) => ({ epoch, loss: 1 / epoch, parts: {}, srcc: 0.5, plcc: null })),
      calibrate: [],
    },
    evaluation,
    distilled: { ...metrics, srcc: 0.7 },
    predictions,
    sampleScores: [],
    range: [1, 5],
    lowerIsBetter: false,
    images: {
      worst: [{ path: name, score: 1.234, mos: 1, picture: "data:image/jpeg;base64,AAAA" }],
      best: [{ path: name, score: 4.5, mos: null, picture: null }],
      mostWrong: [],
    },
    findings: [{ level: "warning", title: name, detail: name, remedy: name }],
    tables: [{ title: name, header: [name], rows: [[name]], note: name }],
    ...change,
  };
}

interface Node {
  nodeName: string;
  value?: string;
  attrs?: { name: string; value: string }[];
  childNodes?: Node[];
}

function nodesOf(page: string): Node[] {
  const all: Node[] = [];
  const walk = (node: Node) => {
    all.push(node);
    node.childNodes?.forEach(walk);
  };
  walk(parse(page) as unknown as Node);
  return all;
}

const textOf = (page: string) =>
  nodesOf(page)
    .filter(({ nodeName }) => nodeName === "#text")
    .map(({ value }) => value)
    .join("");

describe("the report", () => {
  it.each(hostile)("makes nothing of a hostile name but text: %j", (name) => {
    const [page, plain] = [reportPage(dataWith(name)), reportPage(dataWith("photos"))];
    const shape = (text: string) =>
      nodesOf(text).map(({ nodeName, attrs }) => [nodeName, attrs?.map((a) => a.name)]);
    const elements = (text: string) => shape(text).filter(([node]) => node !== "#text");
    expect(elements(page)).toEqual(elements(plain));
    expect(textOf(page).replace(/\s+/g, " ")).toContain(
      name.replaceAll("\u0000", "\ufffd").replace(/\s+/g, " "),
    );
  });

  it("needs no network and no script, and holds no path of the machine", () => {
    const page = reportPage(dataWith("photos"));
    for (const { nodeName, attrs } of nodesOf(page)) {
      expect(["script", "link", "iframe", "object", "embed"]).not.toContain(nodeName);
      for (const { name, value } of attrs ?? []) {
        if (["src", "href", "action", "poster", "srcset"].includes(name))
          expect(value).toMatch(/^data:image\//);
        expect(name).not.toMatch(/^on/);
      }
    }
    expect(page).not.toContain("somebody");
    expect(page).not.toMatch(/url\(|@import/);
  });

  it("tells the figures with their number of images and intervals", () => {
    const text = textOf(reportPage(dataWith("photos"))).replace(/\s+/g, " ");
    for (const part of [
      "0.812",
      "[0.700, 0.900]",
      "n = 40, 4 far",
      "0.700",
      "37",
      "300 train, 60 val, 40 test",
    ])
      expect(text).toContain(part === "37" ? "d1" : part);
  });

  it("draws every prediction where it lies", () => {
    const data = dataWith("photos");
    const circles = nodesOf(reportPage(data)).filter(({ nodeName }) => nodeName === "circle");
    expect(circles).toHaveLength(40);
    const at = circles.map(({ attrs }) => Object.fromEntries(attrs!.map((a) => [a.name, Number(a.value)])));
    const by = (key: "score" | "mos") => data.predictions.map((one) => one[key]);
    // Pixels are an affine map of the data: x grows with the score, y falls with the MOS.
    const affine = (pixels: number[], values: number[]) => {
      const slope = (pixels.at(-1)! - pixels[0]!) / (values.at(-1)! - values[0]!);
      for (const [i, value] of values.entries())
        expect(Math.abs(pixels[i]! - pixels[0]! - slope * (value - values[0]!))).toBeLessThan(0.2);
      return slope;
    };
    expect(
      affine(
        at.map((one) => one.cx!),
        by("score"),
      ),
    ).toBeGreaterThan(0);
    expect(
      affine(
        at.map((one) => one.cy!),
        by("mos"),
      ),
    ).toBeLessThan(0);
  });

  it("leaves out what there is not", () => {
    const page = reportPage(
      dataWith("photos", {
        evaluation: null,
        distilled: null,
        predictions: [],
        dataset: null,
        curves: { distill: [], calibrate: [] },
        images: { worst: [], best: [], mostWrong: [] },
        card: null,
        findings: undefined,
        tables: undefined,
      }),
    );
    const titles = nodesOf(page)
      .filter(({ nodeName }) => nodeName === "h2")
      .map(({ childNodes }) => childNodes![0]!.value);
    expect(titles).toEqual(["How it was made", "Config"]);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("shows scores of a sample where nothing was evaluated", () => {
    const page = reportPage(
      dataWith("photos", { evaluation: null, predictions: [], sampleScores: [1, 2, 2, 3, 3, 3] }),
    );
    expect(textOf(page)).toContain("on a sample of 6 images");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("holds for constant scores and single epochs", () => {
    const same = Array.from({ length: 3 }, (_, i) => ({
      hash: `${i}`,
      path: "a",
      score: 3,
      mos: 3,
      group: "",
    }));
    const page = reportPage(
      dataWith("photos", {
        predictions: same,
        curves: { distill: [{ epoch: 1, loss: 0, parts: {}, srcc: 1, plcc: 1 }], calibrate: [] },
      }),
    );
    expect(page).not.toMatch(/NaN|Infinity/);
  });
});

describe("what the run says of itself", () => {
  it("has every finding with its remedy", () => {
    const evaluation: EvaluateResult = {
      ...metrics,
      run: "r3",
      split: "test",
      student: "calibrate",
      failed: 0,
      findings: [
        { code: "belowTeacher", message: "It ranks worse (0.61 < 0.75).", remedy: "Raise `distill.epochs`." },
        { code: "collapsed", message: "All scores lie within 0.1.", remedy: "Rate more images." },
      ],
    };
    const findings = evaluationFindings(evaluation);
    const text = textOf(reportPage(dataWith("photos", { findings })));
    for (const { message, remedy } of evaluation.findings!) {
      expect(text).toContain(message);
      expect(text).toContain(remedy);
    }
    expect(findings.map(({ level, title }) => [level, title])).toEqual([
      ["warning", "Below its teacher"],
      ["warning", "All scores alike"],
    ]);
    expect(evaluationFindings({ ...evaluation, findings: undefined })).toEqual([]);
    expect(evaluationFindings(null)).toEqual([]);
  });

  const scaled = { n: 20, right: 0.7, ece: 0.2, brier: 0.3, nll: 0.61, auroc: null };
  const reliability: TeacherReliability = {
    teacher: "t",
    kind: "embedded",
    split: "train",
    rated: 50,
    calibration: 12,
    pairs: {
      n: 90,
      right: 0.8123,
      ece: 0.1234,
      brier: 0.15,
      nll: 0.45,
      auroc: 0.77,
      threshold: 0.25,
      undecided: 7,
      bins: [],
      byConfidence: [],
      temperature: { temperature: 1.6, fittedOn: 30, before: scaled, after: { ...scaled, ece: 0.05 } },
      minConfidence: { value: 0.14, n: 33 },
    },
    points: null,
    groups: Array.from({ length: 15 }, (_, i) => ({
      group: i === 0 ? hostile[0]! : `group ${i}`,
      pairs: 6,
      right: i / 15,
      confidentlyWrong: 2,
    })),
    confidentErrors: [],
    positionBias: { pairs: 300, first: 0.6, flipped: 0.12, logits: { mean: 0.2, sd: 1 } },
  };

  it("has the teacher's reliability as tables", () => {
    const [main, groups] = tablesOf(reliability);
    expect(main!.rows).toEqual([
      ["Pairs", "90", "81.2 %", "0.123", "0.150", "0.450", "0.770"],
      ["Pairs, other than calibration images", "20", "70.0 %", "0.200", "0.300", "0.610", "–"],
      ["Pairs, these scaled by T = 1.60", "20", "70.0 %", "0.050", "0.300", "0.610", "–"],
    ]);
    for (const part of [
      "of 50 training images, 12 of them",
      "7 are left out",
      "of 0.14 on (n = 33)",
      "12.0 % of 300 pairs",
    ])
      expect(main!.note).toContain(part);
    expect(groups!.rows).toHaveLength(12);
    expect(groups!.rows[1]).toEqual(["group 1", "6", "6.7 %", "2"]);
    expect(groups!.note).toContain("12 worst of 15");
    const page = reportPage(dataWith("photos", { tables: tablesOf(reliability) }));
    expect(textOf(page)).toContain(hostile[0]);
    expect(nodesOf(page).filter(({ nodeName }) => nodeName === "img")).toHaveLength(1);
  });

  it("has nothing of a teacher that judged no rated image", () => {
    expect(tablesOf({ ...reliability, pairs: null })).toEqual([]);
  });
});

describe("the template", () => {
  it("escapes any text in content and in attributes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const kept = text.replace(/[^\P{Cc}\t\n\r]/gu, "\ufffd").replace(/\r\n?/g, "\n");
        const page = html`<!doctype html><p title="${text}">${text}</p>`.markup;
        const p = nodesOf(page).find(({ nodeName }) => nodeName === "p")!;
        expect(p.attrs).toEqual([{ name: "title", value: kept }]);
        expect((p.childNodes ?? []).map(({ value }) => value).join("")).toBe(kept);
      }),
    );
  });
});

describe("axes", () => {
  it("have round ticks within any range", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.boolean(),
        (low, span, whole) => {
          const found = ticks(low, low + span, whole);
          expect(found.length).toBeLessThanOrEqual(12);
          if (!whole) expect(found.length).toBeGreaterThanOrEqual(2);
          for (const [value, text] of found) {
            expect(value).toBeGreaterThanOrEqual(low - 1e-6 * span);
            expect(value).toBeLessThanOrEqual(low + span + 1e-6 * span);
            expect(Math.abs(Number(text) - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
            if (whole) expect(Number.isInteger(Number(text))).toBe(true);
          }
        },
      ),
    );
  });

  it("say what they show to a screen reader", () => {
    const drawn = plot("A title", { x: [0, 1], y: [0, 1], xLabel: "x", yLabel: "y" }, () => []).markup;
    expect(drawn).toContain('role="img" aria-label="A title"');
  });
});

interface Token {
  type: string;
  children: Token[] | null;
}
const MarkdownIt: new (options: object) => { parse(text: string, env: object): Token[] } = createRequire(
  import.meta.url,
)("markdown-it");
const reader = new MarkdownIt({ html: true });

describe("the model card", () => {
  const run = dataWith("photos").run;

  it("tells what it is, from what, how good, and what it is not for", () => {
    const text = modelCard(card, run);
    for (const part of [
      "# Image quality student r3",
      "3.4 M parameters",
      "mean opinion scores of 37 images",
      "| this dataset | 40 | 0.812 [0.700, 0.900] |",
      "above 21.50 (1 % of 60 held-out images lie beyond)",
      "Not for images of another kind",
      "pixels`: uint8 [N, 32, 32, 3]",
      "PyTorch 2.13.0",
    ])
      expect(text).toContain(part);
    expect(text).not.toContain("somebody");
    expect(text).not.toMatch(/undefined|NaN|null/);
  });

  it("tells what the closed form was fitted to, and what its error bar means", () => {
    const cv = {
      n: 37,
      srcc: 0.61,
      plcc: 0.6,
      rmse: 0.4,
      ci95: null,
      within: [0.7, 0.95] as [number, number],
    };
    const blocks = [
      { name: "pretrained level_0 mean", width: 16, share: 0.4 },
      { name: "pretrained level_0 sd", width: 16, share: 0.6 },
    ];
    const head = {
      networks: ["pretrained" as const],
      blocks,
      penalty: 0.4,
      noise: 0.31,
      ratings: 37,
      cv,
      candidates: [],
    };
    const told = modelCard({ ...card, head }, run);
    expect(told).toContain("ridge on 32 features");
    expect(told).toContain("of the pretrained network, fitted to 37 ratings");
    expect(told).toContain("SRCC 0.610 (n = 37)");
    expect(told).toContain("(0.31 on 1..5)");
    expect(told).toContain("70 % of the ratings left out lay within one sd, 95 % within two");
    expect(told).not.toContain("Refined");
    const refined = { images: 256, share: 0.23 };
    const taught = modelCard({ ...card, head: { ...head, refined } }, run);
    expect(taught).toContain(
      "23 % of the score comes from the same ridge, fitted to the teacher's scores of 256 images",
    );
    expect(modelCard(card, run)).not.toContain("closed form");
  });

  it("warns of a student that no human score calibrated, and of one of unknown making", () => {
    const text = modelCard(
      { ...card, stage: "distill", mosScale: null, domain: null, outputs: undefined },
      undefined,
    );
    expect(text).toContain("follow its teacher, not people");
    expect(text).toContain("Not evaluated.");
    expect(text).toContain("too few images to tell");
    expect(text).not.toMatch(/undefined|NaN/);
  });

  it.each(hostile)("makes no markup of a hostile name: %j", (name) => {
    const text = modelCard({ ...card, model: name }, dataWith(name).run);
    const tokens = reader.parse(text, {}).flatMap((token) => [token, ...(token.children ?? [])]);
    expect(tokens.filter(({ type }) => /^(html|image)/.test(type))).toEqual([]);
    expect(tokens.filter(({ type }) => type === "fence")).toHaveLength(1);
  });
});
