// docs/config.md: the keys by section, each with an example.
import { configJsonSchema } from "../../src/engine/config/config.ts";
import { recipes } from "../../src/engine/config/recipes.ts";
import { head, section } from "./keys.js";

/** @typedef {import("./keys.js").Schema} Schema */

/** What each section looks like in a config; test/docs/config.test.ts reads them all. @type {Record<string, string>} */
const examples = {
  images: 'images: [photos, "scans/**/*.png", "!photos/drafts"]',
  mos: "mos: { file: mos.csv, image: name, score: mos, range: [1, 5] }",
  split: "split: { test: 0.2, val: 0.1, groupBy: scene }",
  maxMegapixels: "maxMegapixels: 400",
  teacher: `teacher:
  kind: openai
  endpoint: http://127.0.0.1:8000/v1
  model: OpenGVLab/InternVL3_5-8B-HF`,
  label: "label: { pairsPerImage: 8, minConfidence: auto }",
  student: "student: { model: efficientnet-lite0, input: { resize: 384, crop: 224 } }",
  distill: "distill: { epochs: 10, lr: { backbone: 0.001, head: 0.003 } }",
  calibrate: "calibrate: { method: closed-form, ratio: 0.1 }",
  evaluate: `evaluate:
  bootstrap: 1000
  datasets:
    - { name: other, images: other/images, mos: { file: other/scores.csv } }`,
  python: "python: { device: cuda, threads: 8 }",
};

export function configPage() {
  const schema = /** @type {Schema} */ (configJsonSchema());
  const sections = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const rows = section({ properties: { [key]: value } }, []);
    const example = examples[key] ? `\`\`\`yaml\n${examples[key]}\n\`\`\`\n\n` : "";
    return `## ${key}\n\n${example}${head}\n${rows.join("\n")}\n`;
  });
  return `# leaf.yaml

A file called \`leaf.yaml\` or \`*.leaf.yaml\` is a config. Paths in it are relative to it. LEAF refuses a key that it does not know.
Only \`images\` has no default. \`npm run docs\` writes this page from the schema.

${sections.join("\n")}
## What suits a family

Some keys of \`student\`, \`distill\` and \`calibrate\` have no default above. They take these values, by the name of \`student.model\`.
\`leaf check\` and the editor show the numbers that apply. \`calibrate\` is for a distilled student. From the backbone alone
(\`calibrate.from: backbone\`) the rates are ${recipes.convnext.fromBackbone.rates} times as high, there are ${recipes.convnext.fromBackbone.epochs} times as many epochs, and the whole network is trained.

| | ${Object.keys(recipes).join(" | ")} |
| --- |${" --- |".repeat(Object.keys(recipes).length)}
${recipeRows().join("\n")}

\`convnextv2-small\` stands for Tiny and smaller. The values of ConvNeXt are those that its authors fine-tune with (ConvNeXt: CVPR 2022; V2: CVPR 2023), for
steps of 32 images. They were not measured here. Those of EfficientNet-Lite0 were chosen on the demo's validation photos. Atto begins with random weights.
`;
}

/** The recipes, a row a key. @returns {string[]} */
function recipeRows() {
  const settings = ["batch", "lr.backbone", "lr.head", "weightDecay", "layerDecay"];
  const of = (/** @type {string} */ stage) => settings.map((key) => `${stage}.${key}`);
  return ["resize", ...of("distill"), "distill.ema", ...of("calibrate")].map((key) => {
    const values = Object.values(recipes).map((recipe) =>
      key.split(".").reduce((part, name) => part[name], /** @type {any} */ (recipe)),
    );
    return `| \`${key === "resize" ? "student.input.resize" : key}\` | ${values.join(" | ")} |`;
  });
}
