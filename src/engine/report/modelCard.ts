import type { HeadFacts } from "../../protocol/head.ts";
import type {
  CalibrateResult,
  DistillResult,
  EvaluateResult,
  LabelResult,
  RunRecord,
} from "../../protocol/results.ts";
import type { StudentCard } from "../../protocol/student.ts";
import { escapeMarkdown as text } from "../../words/escape.ts";
import { figure, millions, percent, plain, tiny, withInterval } from "../../words/figure.ts";
import { groupsNote } from "../../words/groups.ts";
import { rangeText } from "../../words/score.ts";
import { english } from "../../words/translate.ts";
import { type Config, defaultMinConfidence } from "../config/config.ts";
import { mostNativeWhole } from "../images/views.ts";
import { countedNow, leastConfidence } from "../labels/counting.ts";
import { knownConfig } from "../pipeline/runs.ts";
import { teacherText } from "./page.ts";
import { pythonSnippet } from "./pythonSnippet.ts";

/**
 * A model card (Mitchell et al., FAT* 2019) in Markdown for an exported student: what it is, what it learned from, how well it agrees
 * with people, what it is not for, and how to run it without LEAF. `run` is the one that made it, where that is still there.
 */
export function modelCard(card: StudentCard, run: RunRecord | undefined): string {
  const calibrated = card.stage === "calibrate";
  const { provenance } = card;
  const versions = [
    `LEAF ${provenance.leaf}`,
    `PyTorch ${provenance.torch}`,
    text(provenance.device),
    `stage key \`${provenance.stageKey}\``,
    ...(run?.gitCommit ? [`commit ${run.gitCommit.slice(0, 12)}`] : []),
  ];
  return `---
library_name: onnx
tags: [image-quality-assessment, no-reference-iqa]
---

# Image quality student${run ? ` ${run.id}` : ""}

A small network that scores the quality of one image${calibrated ? "" : ", not calibrated on human scores"}: ${text(card.model)} with ${card.targets ? `${card.targets.length} scalar heads` : "one scalar head"}, ${millions(card.parameters)} parameters, made ${provenance.created.slice(0, 10)}.
${calibrated ? "" : "\n**Its scores follow its teacher, not people.** Compare them with each other; do not read them as opinion scores.\n"}
## Scores

${scaleText(card)} A score is ${scoredPart(card)}.

## What it learned from

${learnedFrom(card, run)}

## Agreement with people

${agreement(card, run)}

## Intended use and limits

- For ranking and filtering images like those it was trained on, by technical quality as its teacher${calibrated ? " and the people who rated" : ""} saw it.
- Not for images of another kind, for judging content, taste or truth, and never for judging people.
- ${domainText(card)}
- ${seenText(card)}
- ${teacherLimit(run)}

## Input and output

- \`pixels\`: uint8 [N, ${card.input.views === "whole" ? "height, width" : `${card.input.crop}, ${card.input.crop}`}, 3], RGB. Normalisation is inside.
- \`score\`: float32 [N] on 1..5${calibrated ? ", to be mapped to the scale above as the code below does" : ""}.
${outputLines(card)}- Preparation: sRGB, upright, ${preparation(card)}.
- ONNX Runtime's scores differ from PyTorch's by at most ${tiny(card.exportMaxDifference)} (measured at export).${int8Line(card)}

## Run it

With \`pip install onnxruntime pillow numpy\`, in this folder. Where the image is resized Pillow's pixels differ a little from LEAF's, and so does the score. Colour profiles are applied: a value differs from LEAF's by 1 of 255 at most. The package \`leaf-iqa\` (\`leaf_iqa.load(".").score("image.jpg")\`) prepares images as LEAF does. In LEAF: \`leaf score --student . image.jpg\`.

\`\`\`python
${pythonSnippet}\`\`\`

## Licences and versions

LEAF is under the Apache License 2.0. The weights also stand on the backbone (${text(card.model)}), the teacher's answers and the training images: their licences and terms apply, and LEAF does not know them.

${versions.join(" · ")}
`;
}

function int8Line({ int8 }: StudentCard): string {
  if (!int8) return "";
  return `\n- Convolutions and products are in 8-bit integers. On ${int8.images} images the scores have an SRCC of ${figure(int8.srcc, 4)} to those in floats, and differ by at most ${figure(int8.largest)} on 1..5.`;
}

function scoredPart({ input: { views } }: StudentCard): string {
  if (views === "whole") return "that of the whole picture, in one pass";
  return views === 5
    ? "the mean over five windows: the centre and the four corners"
    : "that of the central window";
}

function seenText({ input: { resize, views } }: StudentCard): string {
  if (views === "whole")
    return `It sees the whole image, made smaller where its short side has more than ${resize ?? mostNativeWhole} pixels: finer defects may vanish. Of a panorama it sees the middle.`;
  return resize === null
    ? "It sees windows of the native resolution: what lies outside them does not count."
    : `It sees the image at ${resize} pixels on the short side: finer defects may vanish, and what lies outside its windows does not count.`;
}

function preparation(card: StudentCard): string {
  const scaled = card.input.decode === "scaled";
  return `${sizes(card)}${scaled ? "; a JPEG is decoded at 1/8, 1/4 or 1/2 where that is at least twice this size" : ""}`;
}

function sizes({ input: { resize, crop, views } }: StudentCard): string {
  if (views === "whole")
    return `short side brought down to ${resize ?? mostNativeWhole} pixels or up to ${crop} (Lanczos), the long side cut to ${2 * Math.max(resize ?? mostNativeWhole, crop)} about its middle`;
  const resized =
    resize === null
      ? "not resized unless smaller than the window"
      : `short side resized to ${resize} pixels (Lanczos)`;
  return `${resized}, windows of ${crop} x ${crop} pixels`;
}

function scaleText({ mosScale }: StudentCard): string {
  if (!mosScale) return "From 1 (bad) to 5 (excellent), on its teacher's scale.";
  return `On the scale of the human scores, ${rangeText(english, mosScale.range)}; ${mosScale.lowerIsBetter ? "lower" : "higher"} is better. Values a little beyond the ends occur.`;
}

function judgedText({ stages }: RunRecord, config: Config): string {
  const label = stages.label?.result as LabelResult | undefined;
  if (!label) return "";
  const auto = (stages.distill?.result as DistillResult | undefined)?.minConfidence ?? defaultMinConfidence;
  const { points, pairs } = countedNow(label, leastConfidence(config, auto));
  const discarded = pairs.discarded === undefined ? "" : ` (${pairs.discarded} discarded as too uncertain)`;
  return `: ${points.labelled + points.reused} images judged one by one, ${pairs.kept} pairs${discarded}`;
}

function learnedFrom(card: StudentCard, run: RunRecord | undefined): string {
  const config = run && knownConfig(run);
  const lines: string[] = [];
  if (config) {
    const judged = judgedText(run, config);
    const decided = (run?.stages.calibrate?.result as CalibrateResult | undefined)?.from;
    const distilled = card.stage === "distill" || (decided ?? config.calibrate.from) !== "backbone";
    if (distilled || card.head?.refined)
      lines.push(
        `- Teacher: ${text(teacherText(config.teacher))}${judged}. No human score was used for this.`,
      );
  }
  lines.push(
    card.stage === "calibrate"
      ? `- Human scores: the mean opinion scores of ${card.provenance.images} images.`
      : `- ${card.provenance.images} images of the train and val splits; no human score.`,
  );
  if (card.head) lines.push(closedForm(card.head));
  return lines.join("\n");
}

/** What was fitted, to how much, and what its error bar means. */
function closedForm({ networks, blocks, ratings, noise, cv, refined }: HeadFacts): string {
  const features = blocks.reduce((sum, { width }) => sum + width, 0);
  const [one, two] = cv.within.map((share) => percent(share, 0));
  return [
    `- Calibrated in closed form, no weight of the network was trained for it: a Bayesian ridge on ${features} features (means and standard deviations of the maps at several depths) of the ${networks.join(" and the ")} network, fitted to ${ratings} ratings.`,
    ...(refined
      ? [
          `- Refined by the teacher: ${percent(refined.share, 0)} of the score comes from the same ridge, fitted to the teacher's scores of ${refined.images} images. Scoring asks no teacher.`,
        ]
      : []),
    `- Expected on ratings left out: SRCC ${withInterval(cv.srcc, cv.ci95)} (n = ${cv.n}).`,
    `- \`sd\` is of one more human score of the image: what people differ by (${figure(noise, 2)} on 1..5) and what the fit does not know, together. ${one} of the ratings left out lay within one sd, ${two} within two.`,
  ].join("\n");
}

function agreement(card: StudentCard, run: RunRecord | undefined): string {
  const result = run?.stages.evaluate?.result as EvaluateResult | undefined;
  if (!result || result.student !== card.stage) return "Not evaluated.";
  const rows = [
    ["this dataset", String(result.n), ...cells(result)],
    ...(result.targets ?? []).map((one) => [`this dataset, ${text(one.name)}`, String(one.n), ...cells(one)]),
    ...(result.transfer?.datasets ?? []).map((dataset, i) => {
      const cell = result.transfer!.rows.find(({ student }) => student === card.stage)?.cells[i];
      return cell
        ? [text(dataset), String(cell.n), ...cells(cell)]
        : [text(dataset), "–", "–", "–", "–", "–"];
    }),
  ];
  return `On held-out images (${result.split} split); in brackets: 95 % bootstrap intervals${result.groups === undefined ? " over images" : ""}. ${groupsNote(english, result.groups)}

| dataset | n | SRCC | PLCC | KRCC | RMSE |
| --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}`;
}

function cells(m: Pick<EvaluateResult, "srcc" | "plcc" | "krcc" | "rmse" | "ci95">): string[] {
  return [
    withInterval(m.srcc, m.ci95.srcc),
    withInterval(m.plcc, m.ci95.plcc),
    figure(m.krcc),
    figure(m.rmse),
  ];
}

function domainText({ domain }: StudentCard): string {
  if (!domain)
    return "It was made from too few images to tell which others are unlike them: look at scores of new kinds of images before relying on them.";
  const share = plain(100 * (1 - domain.quantile));
  return `The output \`distance\` tells images unlike the ${domain.fitted} it was measured on: above ${figure(domain.threshold, 2)} (${share} % of ${domain.heldOut} held-out images lie beyond) do not rely on the score. Not every unlike image lies beyond it.`;
}

function teacherLimit(run: RunRecord | undefined): string {
  const kind = (run && knownConfig(run))?.teacher.kind;
  return kind === "embedded"
    ? "Its teacher is the small one that comes with LEAF: it knows distorted photographs, is blind to content, and is at chance on generated images."
    : "It inherits its teacher's preferences and blind spots.";
}

function outputLines({ outputs, domain, levels, targets = [] }: StudentCard): string {
  const lines = {
    features: "- `features`: float32 [N, D], pooled.\n",
    map: "- `map`: float32 [N, h, w], local scores on 1..5 whose mean is the score.\n",
    distance: domain
      ? "- `distance`: float32 [N], Mahalanobis distance of the features from the training images'.\n"
      : "",
    sd: "- `sd`: float32 [N], standard deviation of a human score around `score`, on 1..5.\n",
    levels: levels
      ? `- \`levels\`: float32 [N, ${levels.dim}], means and standard deviations of the maps at ${levels.parts.length} depths; \`levels\` in student.json says which lies where.\n`
      : "",
  };
  const beside = targets.slice(1).map(({ name, score, sd, mosScale: { range, lowerIsBetter } }) => {
    const both = [score, sd].flatMap((output) => (output === null ? [] : [`\`${text(output)}\``])).join(", ");
    const scale = `${rangeText(english, range)}${lowerIsBetter ? ", lower is better" : ""}`;
    return `- ${both}: float32 [N], the same of ${text(name)} on 1..5, which stands for ${scale}.\n`;
  });
  return (outputs ?? []).map((output) => lines[output]).join("") + beside.join("");
}
