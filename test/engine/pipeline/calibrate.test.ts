import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { seededRandom } from "../../../src/engine/base/random.ts";
import { openProject, type Project } from "../../../src/engine/config/project.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";
import { type Catalog, openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { stageChanges } from "../../../src/engine/pipeline/changes.ts";
import { withPlan } from "../../../src/engine/pipeline/plan/plan.ts";
import { type StageOptions, stageDir, writeResult } from "../../../src/engine/pipeline/stage.ts";
import { foldsOf } from "../../../src/engine/pipeline/stages/compareMethods.ts";
import { stagesOf } from "../../../src/engine/pipeline/status.ts";
import { openFeatureStore } from "../../../src/engine/selection/featureStore.ts";
import { teacherFingerprint } from "../../../src/engine/teachers/createTeacher.ts";
import { pairConfidence } from "../../../src/engine/teachers/judgement.ts";
import { hashOf, pairRow, pointRow, putIndex, putLabels } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

// Everything but pictures and training: index, MOS, labels, and what a distilled student leaves.
const images = 120;
const mosOf = (i: number) => 1 + ((i * 37) % images) / (images / 4);

interface World {
  project: Project;
  catalog: Catalog;
}

async function world(
  calibrate: Record<string, unknown> = {},
  {
    mos = mosOf,
    root = temporaryFolder(),
    label = {},
    groupBy,
  }: { mos?: (i: number) => number; root?: string; label?: object; groupBy?: object } = {},
): Promise<World> {
  writeFileSync(
    path.join(root, "leaf.yaml"),
    stringify({
      images: "photos",
      mos: { file: "mos.csv" },
      ...(groupBy && { split: { groupBy } }),
      label,
      calibrate: { method: "fine-tune", ratio: 0.3, ...calibrate },
    }),
  );
  const rows = Array.from({ length: images }, (_, i) => `${i}.jpg,${mos(i).toFixed(4)}`);
  writeFileSync(path.join(root, "mos.csv"), `image,mos\n${rows.join("\n")}\n`);
  const project = await openProject(path.join(root, "leaf.yaml"));
  putIndex(
    project,
    Array.from({ length: images }, (_, i) => ({ path: `photos/${i}.jpg`, hash: hashOf(i) })),
  );
  const catalog = await openCatalog(project, { trustIndex: true });
  onTestFinished(() => catalog.close());
  return { project, catalog };
}

/** Again in the same folder, with another config or other MOS. */
const changed = ({ project }: World, calibrate: object, mos = mosOf) =>
  world(calibrate as Record<string, unknown>, { mos, root: project.root });

async function putTeacher({ project }: World, scoreOf: (i: number) => number): Promise<void> {
  const teacher = await teacherFingerprint(project.config.teacher, project.root);
  putLabels(
    project,
    teacher,
    Array.from({ length: images }, (_, i) => pointRow(hashOf(i), scoreOf(i))),
  );
}

const calibrate = ({ project, catalog }: World, choose?: StageOptions) =>
  withPlan(project, catalog, (plan) => plan.calibrate(choose));
const distill = ({ project, catalog }: World) => withPlan(project, catalog, (plan) => plan.distill());

const random = seededRandom("calibration plan", 0);
const noise = Float64Array.from({ length: images }, () => 1 + 4 * random());
const good = (i: number) => 0.7 * mosOf(i) + 0.3 * noise[i]!;

describe("what calibration starts from", () => {
  it("is the distilled student of a teacher that agrees, as if it were named", async () => {
    const one = await world();
    await putTeacher(one, good);
    const plan = await calibrate(one);
    expect(plan.teacherCheck).toMatchObject({ n: plan.chosen, verdict: "useful" });
    expect(plan.distilled).toBe(plan.keys.distill);
    const named = await changed(one, { from: "distill" });
    expect((await calibrate(named)).key).toBe(plan.key);
  });

  it("is the backbone where the teacher's labels are noise, as if that were named", async () => {
    const one = await world();
    await putTeacher(one, (i) => noise[i]!);
    const plan = await calibrate(one);
    expect(plan).toMatchObject({ distilled: undefined, teacherCheck: { verdict: "chance" } });
    // The run still stands on the labels that were found wanting.
    expect(plan.keys.label).toBeDefined();
    // At the rates that a ConvNeXt needs which has seen no score: five times those after distillation, and twice the epochs.
    const rates = { epochs: 40, lr: { backbone: 5e-5, head: 5e-4 }, headOnlyBelow: 0 };
    const named = await changed(one, { from: "backbone", ...rates });
    const baseline = await calibrate(named);
    expect(baseline).toMatchObject({ key: plan.key, keys: {}, teacherCheck: undefined });
    const insisting = await changed(one, { from: "distill" });
    const kept = await calibrate(insisting);
    expect(kept.distilled).toBeDefined();
    expect(kept.teacherCheck!.verdict).toBe("chance");
    expect(kept.key).not.toBe(plan.key);
  });

  it("is the distilled student while nothing is known of the teacher", async () => {
    const one = await world();
    const before = await calibrate(one);
    expect(before).toMatchObject({ teacherCheck: { n: 0, verdict: "unknown" } });
    expect(before.distilled).toBeDefined();
    const few = await changed(one, { ratio: 0.05 });
    await putTeacher(few, (i) => noise[i]!);
    const plan = await calibrate(few);
    expect(plan.chosen).toBeLessThan(10);
    expect(plan.distilled).toBeDefined();
  });

  it("rests on the MOS of the chosen images alone", async () => {
    const one = await world();
    await putTeacher(one, good);
    const plan = await calibrate(one);
    const chosen = new Set(plan.rows.map((row) => Number.parseInt(row.hash, 16)));
    const other = await changed(one, {}, (i) => (chosen.has(i) ? mosOf(i) : noise[i]!));
    expect(await calibrate(other)).toEqual(plan);
  });
});

describe("the closed form", () => {
  const closed = (settings = {}) => ({ method: "closed-form", ...settings });

  it("weighs the distilled student against the network as it comes, or what is named", async () => {
    const one = await world(closed());
    await putTeacher(one, good);
    const plan = await calibrate(one);
    expect(plan).toMatchObject({ networks: ["distilled", "pretrained"], distilled: plan.keys.distill });
    const distilled = await calibrate(await changed(one, closed({ from: "distill" })));
    expect(distilled).toMatchObject({ networks: ["distilled"], distilled: plan.distilled });
    const backbone = await calibrate(await changed(one, closed({ from: "backbone" })));
    expect(backbone).toMatchObject({ networks: ["pretrained"], distilled: undefined, keys: {} });
    expect(new Set([plan.key, distilled.key, backbone.key]).size).toBe(3);
  });

  it("is not changed by settings of fine-tuning; the better of the two is", async () => {
    const one = await world(closed());
    await putTeacher(one, good);
    const { key, inputs } = await calibrate(one);
    expect(await calibrate(await changed(one, closed({ epochs: 3, lr: { head: 1e-2 } })))).toMatchObject({
      key,
    });
    const [few, many] = [
      await calibrate(await changed(one, { method: "best", epochs: 3 })),
      await calibrate(await changed(one, { method: "best" })),
    ];
    expect(new Set([key, few.key, many.key]).size).toBe(3);
    const after = (await calibrate(await changed(one, {}))).inputs;
    const { changes } = stageChanges("calibrate", [inputs, after], [{}, {}], false);
    expect(changes).toEqual([{ key: "calibrate.method", before: "closed-form", after: "fine-tune" }]);
  });

  it("is refined by the teacher's scores of training images alone, where that is asked for and there are any", async () => {
    const one = await world(closed({ refine: true }));
    const bare = await calibrate(await changed(one, closed({ refine: false })));
    const unlabelled = await calibrate(await changed(one, closed({ refine: true })));
    expect(unlabelled).toMatchObject({ key: bare.key, taught: [] });
    const refined = await changed(one, closed({ refine: true }));
    const teacher = await teacherFingerprint(one.project.config.teacher, one.project.root);
    putLabels(
      one.project,
      teacher,
      Array.from({ length: images / 2 }, (_, i) => pointRow(hashOf(i), good(i))),
    );
    const half = await calibrate(refined);
    await putTeacher(one, good);
    const plan = await calibrate(refined);
    // More of the teacher's words are another head.
    expect(plan.key).not.toBe(half.key);
    const train = one.catalog.hashes.filter((hash) => one.catalog.splitOf(hash) === "train");
    expect(plan.taught.map(({ hash }) => hash).sort()).toEqual(train);
    for (const { hash, score } of plan.taught) expect(score).toBeCloseTo(good(Number.parseInt(hash, 16)));
    const plain = await changed(one, closed({ refine: false }));
    const without = await calibrate(plain);
    expect(without).toMatchObject({ key: bare.key, taught: [] });
    expect(plan.key).not.toBe(without.key);
    const configs: [unknown, unknown] = [plain.project.config, refined.project.config];
    expect(stageChanges("calibrate", [without.inputs, plan.inputs], configs, false).changes).toEqual([
      { key: "calibrate.refine", before: false, after: true },
    ]);
    // Fine-tuning knows nothing of it.
    const tuned = await calibrate(await changed(one, { method: "fine-tune", refine: true }));
    expect(tuned.key).toBe((await calibrate(await changed(one, { method: "fine-tune" }))).key);
  });

  it("is refined by default where that takes no more features, and not where the teacher is left out", async () => {
    const one = await world(closed());
    await putTeacher(one, good);
    const plan = await calibrate(one);
    const seen = [...plan.rows.map(({ hash }) => hash), ...plan.reference].sort();
    expect(plan.taught.map(({ hash }) => hash).sort()).toEqual(seen);
    expect(seen.length).toBeGreaterThan(plan.chosen);
    const without = await calibrate(await changed(one, closed({ refine: false })));
    expect(without.taught).toEqual([]);
    expect(without.key).not.toBe(plan.key);
    for (const from of ["distill", "backbone"] as const) {
      const { taught } = await calibrate(await changed(one, closed({ from })));
      expect(taught).toHaveLength(from === "distill" ? seen.length : 0);
    }
    const asked = await calibrate(await changed(one, closed({ from: "backbone", refine: true })));
    expect(asked.taught.length).toBeGreaterThan(0);
  });

  it("depends on the groups of the ratings, which no left-out fold may tear apart", async () => {
    const one = await world(closed({ from: "backbone" }));
    const { key } = await calibrate(one);
    const grouped = await world(closed({ from: "backbone" }), {
      root: one.project.root,
      groupBy: { pattern: "photos/(.+)[.]jpg" },
    });
    const plan = await calibrate(grouped);
    if (plan.rows.map((row) => row.hash).join() === (await calibrate(one)).rows.map((row) => row.hash).join())
      expect(plan.key).not.toBe(key);
    const folds = foldsOf(
      { catalog: { groupOf: (hash: string) => `${Number.parseInt(hash, 16) % 7}` } } as never,
      plan,
    )!;
    const foldOfGroup = new Map<number, number>();
    for (const [hash, fold] of folds) {
      const group = Number.parseInt(hash, 16) % 7;
      expect(foldOfGroup.get(group) ?? fold).toBe(fold);
      foldOfGroup.set(group, fold);
    }
    expect(new Set(folds.values()).size).toBeGreaterThan(1);
  });

  it("standardises features by unrated images too, where ratings are few, and looks at no test image", async () => {
    const one = await world(closed({ from: "backbone", ratio: 0.1 }));
    const plan = await calibrate(one);
    const train = one.catalog.hashes.filter((hash) => one.catalog.splitOf(hash) === "train");
    const chosen = plan.rows.map((row) => row.hash);
    expect([...chosen, ...plan.reference].sort()).toEqual(train);
  });
});

describe("images chosen by the distilled student", () => {
  async function distilled(one: World): Promise<string> {
    const key = (await distill(one)).key;
    mkdirSync(stageDir(one.project, "distill", key), { recursive: true });
    await writeResult(one.project, { stage: "distill", key, inputs: {} }, {});
    const store = openFeatureStore(one.project, `distill-${key}`);
    store.put(
      Array.from({ length: images }, (_, i) => ({
        hash: hashOf(i),
        score: noise[i]!,
        features: Float32Array.of(noise[i]!, (i * 7) % 11, i % 3),
      })),
    );
    store.close();
    return key;
  }

  it("cannot be known before there is one: the stage is missing, and says why", async () => {
    const one = await world({ selection: "kcenter" });
    await expect(calibrate(one, {})).rejects.toMatchObject({
      code: "failed",
      message: expect.stringContaining("there is none"),
      remedy: expect.stringContaining("leaf distill"),
    });
    const stages = await stagesOf(one.project, one.catalog, []);
    for (const { stage, state, key, reason } of stages.slice(2)) {
      expect({ stage, state, key }).toEqual({ stage, state: "missing", key: null });
      expect(reason).toMatchObject({
        kind: "blocked",
        message: { template: expect.stringContaining("there is none for this config yet") },
      });
    }
  });

  it.each(["quantile", "kcenter", "uncertainty", "combined"])(
    "%s: chosen once, kept, and blind to MOS",
    async (selection) => {
      const one = await world({ selection });
      await putTeacher(one, good);
      await distilled(one);
      await expect(calibrate(one)).rejects.toThrow("not chosen");
      const plan = await calibrate(one, {});
      expect(new Set(plan.rows.map((row) => row.hash)).size).toBe(plan.chosen);
      const train = one.catalog.hashes.filter((hash) => one.catalog.splitOf(hash) === "train");
      expect(plan.chosen).toBe(Math.round(0.3 * train.length));
      // The cache may be deleted at any time.
      rmSync(path.join(one.project.cache, "features"), { recursive: true });
      expect(await calibrate(one)).toEqual(plan);
      // A choice of the same images under other MOS, made anew.
      rmSync(path.join(stageDir(one.project, "distill", plan.keys.distill!), "choices"), { recursive: true });
      const other = await changed(one, { selection }, (i) => 6 - mosOf(i));
      await distilled(other);
      const again = await calibrate(other, {});
      expect(again.rows.map((row) => row.hash)).toEqual(plan.rows.map((row) => row.hash));
      expect(again.key).not.toBe(plan.key);
    },
  );

  it("a smaller ratio takes the first of a larger one", async () => {
    const one = await world({ selection: "kcenter", ratio: 0.2 });
    await distilled(one);
    const few = await calibrate(one, {});
    const larger = await changed(one, { selection: "kcenter", ratio: 0.6 });
    const many = await calibrate(larger, {});
    const hashes = (plan: typeof few) => plan.rows.map((row) => row.hash);
    expect(hashes(many).slice(0, few.chosen)).toEqual(hashes(few));
  });
});

describe("label.minConfidence: auto", () => {
  const label = { minConfidence: "auto" };
  /** Right above a preference of .75, a coin below. */
  const pairs = () => {
    const draw = seededRandom("auto pairs", 0);
    const rows = [];
    for (let i = 0; i < images; i++)
      for (let j = i + 1; j < images; j++) {
        const claim = 0.5 + draw() / 2;
        const right = draw() < (claim > 0.75 ? 0.95 : 0.5);
        const p = right === mosOf(i) > mosOf(j) ? claim : 1 - claim;
        rows.push(pairRow(hashOf(i), hashOf(j), p, pairConfidence(p)));
      }
    return rows;
  };

  it("is where the pairs of calibration images begin to be right, and what distill is keyed by", async () => {
    const one = await world({}, { label });
    expect((await distill(one)).minConfidence).toBe(0.1);
    const teacher = await teacherFingerprint(one.project.config.teacher, one.project.root);
    putLabels(one.project, teacher, [], pairs());
    const state = await distill(one);
    // c(.75) = .19; bins of a tenth of the pairs blur it.
    expect(state.minConfidence).toBeGreaterThan(0.08);
    expect(state.minConfidence).toBeLessThan(0.3);
    const plain = await world({}, { label: { minConfidence: state.minConfidence }, root: one.project.root });
    const same = await distill(plain);
    expect(same.key).toBe(state.key);
  });

  it("does not look at the MOS of other images", async () => {
    const one = await world({}, { label });
    const teacher = await teacherFingerprint(one.project.config.teacher, one.project.root);
    putLabels(one.project, teacher, [], pairs());
    const state = await distill(one);
    const chosen = new Set((await calibrate(one)).rows.map((row) => Number.parseInt(row.hash, 16)));
    const mos = (i: number) => (chosen.has(i) ? mosOf(i) : noise[i]!);
    const other = await world({}, { label, mos, root: one.project.root });
    expect(await distill(other)).toEqual(state);
  });

  it("is refused where the choice of images would wait for the student that it trains", () => {
    const parsed = parseConfig(
      "images: a\nlabel: { minConfidence: auto }\ncalibrate: { selection: kcenter }\n",
    );
    expect(parsed).toMatchObject({
      ok: false,
      problems: [{ line: 2, message: expect.stringContaining("selection: random") }],
    });
    expect(parseConfig("images: a\nlabel: { minConfidence: auto }\n").ok).toBe(true);
    expect(parseConfig("images: a\nlabel: { minConfidence: most }\n").ok).toBe(false);
  });
});
