import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { initProject } from "../../../src/engine/config/init.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { loadConfig, parseConfig } from "../../../src/engine/config/read.ts";
import { openCatalog } from "../../../src/engine/dataset/catalog.ts";
import { checkProject } from "../../../src/engine/dataset/check.ts";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import { splitImages } from "../../../src/engine/dataset/split.ts";
import { columnsOf, detectFormat } from "../../../src/engine/mos/detect.ts";
import { type MosFormatName, mosFormatNames } from "../../../src/engine/mos/formats.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

const fixtures = path.resolve("test/fixtures/datasets");

/** A config that names nothing but the file, read by way of `leaf.yaml`, against images of these names. */
async function read(file: string, images: string[], rest = "") {
  const root = temporaryFolder();
  copyFileSync(path.join(fixtures, file), path.join(root, file));
  writeFileSync(path.join(root, "leaf.yaml"), `images: .\nmos: { file: ${JSON.stringify(file)}${rest} }\n`);
  const config = await loadConfig(path.join(root, "leaf.yaml"));
  const test = makeIndex(images);
  const { groupBy } = config.split;
  const mos = await readMos({ ...config.mos!, file: path.join(root, file) }, test.index, {
    columns: typeof groupBy === "string" ? [groupBy] : [],
  });
  const found = images.map((image) => {
    const hash = test.hashOf(image);
    return [mos.scores.get(hash), mos.stds.get(hash)];
  });
  const groups = images.map((image) => mos.columns.get(test.hashOf(image))?.[groupBy as string]);
  return { config, mos, found, groups };
}

describe("a dataset's own file", () => {
  it("KonIQ-10k: quoted names, CRLF, MOS on 1 to 5 or z-scores on 0 to 100", async () => {
    const file = "koniq10k_scores_and_distributions.csv";
    const images = ["1024x768/826373.jpg", "1024x768/2956548148.jpg"];
    const { config, found, mos } = await read(file, images);
    expect(config.mos).toEqual({
      file,
      format: "koniq10k",
      image: "image_name",
      score: "MOS",
      std: "SD",
      range: [1, 5],
      lowerIsBetter: false,
    });
    expect(found).toEqual([
      [3.828571429, 0.527278894],
      [2.152380952, 0.943],
    ]);
    expect(mos.problems).toEqual([]);
    const other = await read(file, images, ", score: MOS_zscore");
    expect(other.config.mos).toMatchObject({ score: "MOS_zscore", range: [0, 100] });
    // The SD is of the 1..5 votes, not of z-scores.
    expect(other.found).toEqual([
      [66.359555847, undefined],
      [20.5, undefined],
    ]);
  });

  it("KonIQ-10k's official split is MOS file and split file", async () => {
    const file = "koniq10k_distributions_sets.csv";
    const root = temporaryFolder();
    copyFileSync(path.join(fixtures, file), path.join(root, file));
    writeFileSync(
      path.join(root, "leaf.yaml"),
      `images: .\nmos: { file: ${file} }\nsplit: { file: ${file} }\n`,
    );
    const config = await loadConfig(path.join(root, "leaf.yaml"));
    expect(config.mos).toMatchObject({ format: "koniq10k-sets", range: [0, 100] });
    expect(config.mos).not.toHaveProperty("std");
    expect(config.split).toMatchObject({ image: "image_name", column: "set", groupBy: null });
    const names = ["826373.jpg", "2956548148.jpg", "10004473376.jpg"];
    const test = makeIndex(names);
    const split = await splitImages(test.index, { ...config.split, file: path.join(root, file) });
    expect(names.map((name) => split.of.get(test.hashOf(name)))).toEqual(["train", "val", "test"]);
  });

  it("SPAQ: an Excel workbook", async () => {
    const file = "MOS and Image attribute scores.xlsx";
    const { config, found, mos } = await read(file, ["TestImage/00001.jpg", "TestImage/00002.jpg"]);
    expect(config.mos).toMatchObject({ format: "spaq", range: [0, 100], lowerIsBetter: false });
    expect(found.map(([score]) => score)).toEqual([46.5, 81]);
    expect(mos).toMatchObject({ rows: 2, problems: [] });
    const { found: sharpness } = await read(file, ["00001.jpg"], ", score: Sharpness");
    expect(sharpness[0]).toEqual([53, undefined]);
  });

  it("AGIQA-3K: quality, or alignment with the prompt", async () => {
    const images = ["AttnGAN_normal_000.jpg", "AttnGAN_normal_001.jpg"];
    const { config, found } = await read("agiqa3k.csv", images);
    expect(config.mos).toMatchObject({ format: "agiqa3k", image: "name", range: [0, 5] });
    expect(found).toEqual([
      [0.965602553, 0.223270101],
      [1.361853219, 0.645422466],
    ]);
    const align = await read("agiqa3k.csv", images, ", score: mos_align");
    expect(align.found[0]).toEqual([0.40889324, 0.615607722]);
  });

  it("AIGIQA-20K: prompts with commas", async () => {
    const { config, found } = await read("info_train.csv", ["train/DALLE2_0000.png"]);
    expect(config.mos).toMatchObject({ format: "aigiqa20k", range: [0, 5] });
    expect(found).toEqual([[3.25, undefined]]);
  });

  it("KADID-10k: what it calls DMOS is best at 5; grouped by reference", async () => {
    const images = ["I01_01_01.png", "I01_01_02.png", "I02_01_05.png"];
    const { config, found, groups } = await read("dmos.csv", images);
    expect(config.mos).toMatchObject({ format: "kadid10k", range: [1, 5], lowerIsBetter: false });
    expect(config.split.groupBy).toBe("ref_img");
    expect(groups).toEqual(["I01.png", "I01.png", "I02.png"]);
    expect(found[0]).toEqual([4.57, 0.496]);
    // 4.57 is thirteen ratings of 4 and seventeen of 5, and 0.496 their standard deviation: "var" is no variance.
    const votes = [...Array(13).fill(4), ...Array(17).fill(5)] as number[];
    const mean = votes.reduce((a, b) => a + b) / 30;
    const deviation = Math.sqrt(votes.reduce((sum, vote) => sum + (vote - mean) ** 2, 0) / 30);
    expect([mean.toFixed(2), deviation.toFixed(3)]).toEqual(["4.57", "0.496"]);
  });

  it("CSIQ: the sheet with all images, file names from its columns, lower is better, grouped by reference", async () => {
    const images = [
      "dst_imgs/awgn/1600.AWGN.1.png",
      "dst_imgs/awgn/1600.AWGN.5.png",
      "dst_imgs/jpeg2000/aerial_city.jpeg2000.3.png",
      "dst_imgs/contrast/aerial_city.contrast.2.png",
    ];
    const { config, found, groups, mos } = await read("csiq.DMOS.xlsx", images);
    expect(config.mos).toMatchObject({ format: "csiq", range: [0, 1], lowerIsBetter: true });
    expect(config.split.groupBy).toBe("image");
    expect(found).toEqual([
      [0.061, 0.05],
      [0.832, 0.1],
      [0.451, 0.07],
      [0.2, 0.06],
    ]);
    expect(groups).toEqual(["1600", "1600", "aerial_city", "aerial_city"]);
    expect(mos.problems).toEqual([]);
    const { mos: fewer } = await read("csiq.DMOS.xlsx", images.slice(0, 3));
    expect(fewer.problems).toEqual([
      { kind: "noImage", line: 8, message: 'No image is called "aerial_city.contrast.2.png".' },
    ]);
  });

  it("TID2013: no header, names in another case, grouped by what the name begins with", async () => {
    const images = [
      "distorted_images/I01_01_1.bmp",
      "distorted_images/I01_01_2.bmp",
      "distorted_images/i25_24_5.bmp",
    ];
    const { config, found, groups, mos } = await read("mos_with_names.txt", images);
    expect(config.mos).toMatchObject({ format: "tid2013", range: [0, 9], lowerIsBetter: false });
    expect(found.map(([score]) => score)).toEqual([5.51429, 5.56757, 0.24242]);
    expect(groups).toEqual(["I01", "I01", "I25"]);
    expect(mos).toMatchObject({ rows: 3, problems: [] });
    const { mos: fewer } = await read("mos_with_names.txt", images.slice(0, 2));
    expect(fewer.problems).toMatchObject([{ kind: "noImage", line: 3 }]);
  });

  it("LIVE Challenge: a CSV file of its .mat files, told by its name", async () => {
    const { config, found } = await read("livec.csv", ["Images/10.bmp", "Images/100.bmp"]);
    expect(config.mos).toMatchObject({ format: "livec", range: [0, 100], std: "std" });
    expect(found).toEqual([
      [63.9634, 19.3195],
      [32.5611, 19.1247],
    ]);
    const mat = path.join(temporaryFolder(), "AllMOS_release.mat");
    writeFileSync(mat, "MATLAB 5.0 MAT-file, Platform: PCWIN64");
    await expect(
      readMos({ file: mat, image: "image", score: "mos", range: [1, 5] }, makeIndex([]).index),
    ).rejects.toMatchObject({ code: "config", message: /is a MATLAB file/, remedy: /docs\/datasets\.md/ });
  });

  it("lists of the Q-Align family", async () => {
    const root = temporaryFolder();
    const file = path.join(root, "koniq.json");
    writeFileSync(file, JSON.stringify([{ image: "koniq/1.jpg", gt_score: 62.5, std: 4 }]));
    expect(await detectFormat(file)).toBe("qalign");
    writeFileSync(
      file,
      JSON.stringify([
        { id: 1, image: "koniq/1.jpg", gt_score: 62.5, gt_score_norm: 3.46, std_norm: 0.4, level_probs: [1] },
      ]),
    );
    writeFileSync(path.join(root, "leaf.yaml"), "images: .\nmos: { file: koniq.json }\n");
    const config = await loadConfig(path.join(root, "leaf.yaml"));
    expect(config.mos).toMatchObject({
      format: "deqa",
      score: "gt_score_norm",
      std: "std_norm",
      range: [1, 5],
    });
    const test = makeIndex(["koniq/1.jpg"]);
    const mos = await readMos({ ...config.mos!, file }, test.index);
    expect([[...mos.scores.values()], [...mos.stds.values()]]).toEqual([[3.46], [0.4]]);
  });
});

describe("the config", () => {
  it("wins over what is known", async () => {
    const { config } = await read(
      "dmos.csv",
      [],
      ", image: ref_img, score: var, std: dmos, range: [0, 3], lowerIsBetter: true",
    );
    expect(config.mos).toMatchObject({
      image: "ref_img",
      score: "var",
      std: "dmos",
      range: [0, 3],
      lowerIsBetter: true,
    });
    const { config: plain } = await read("dmos.csv", [], ", format: columns, image: dist_img, score: dmos");
    expect(plain).toMatchObject({ mos: { format: "columns", range: [1, 5] }, split: { groupBy: null } });
    expect(plain.mos).not.toHaveProperty("std");
  });

  it("says that there are no groups, or others", () => {
    const groupBy = (text: string) => {
      const parsed = parseConfig(`images: a\nmos: { file: dmos.csv, format: kadid10k }\n${text}`);
      return parsed.ok ? parsed.config.split.groupBy : parsed.problems;
    };
    expect(groupBy("")).toBe("ref_img");
    expect(groupBy("split: { groupBy: null }")).toBeNull();
    expect(groupBy("split: { groupBy: scene }")).toBe("scene");
    expect(groupBy("split: { groupBy: { pattern: '^(.)' } }")).toEqual({ pattern: "^(.)" });
  });

  it("takes each format by name, without a look at the file", () => {
    for (const format of mosFormatNames) {
      const parsed = parseConfig(`images: a\nmos: { file: none.csv, format: ${format} }`);
      expect(parsed.ok && parsed.config.mos, format).toMatchObject({ format });
      // Written out, it means the same.
      expect(parsed.ok && parseConfig(JSON.stringify(parsed.config)), format).toEqual(parsed);
    }
    const parsed = parseConfig("images: a\nmos: { file: none.csv, format: koniq }");
    expect(parsed.ok === false && parsed.problems[0]!.message).toMatch(
      /^`mos.format`: must be one of `columns`/,
    );
  });

  it("is as before for a plain file, a missing one, and one that changes", async () => {
    const root = temporaryFolder();
    const file = path.join(root, "leaf.yaml");
    const plain = { file: "mos.csv", image: "image", score: "mos", range: [1, 5], lowerIsBetter: false };
    writeFileSync(file, "images: .\nmos: { file: mos.csv }\n");
    expect((await loadConfig(file)).mos).toEqual(plain);
    writeFileSync(path.join(root, "mos.csv"), "image,mos\na,1\n");
    expect((await loadConfig(file)).mos).toEqual(plain);
    writeFileSync(path.join(root, "mos.csv"), "dist_img,ref_img,dmos,var\na,b,1,1\n");
    expect((await loadConfig(file)).mos).toMatchObject({ format: "kadid10k" });
  });

  it("is not taken for a dataset by columns that anybody may use, nor by a folder's name", async () => {
    const root = temporaryFolder();
    mkdirSync(path.join(root, "clive"));
    for (const [file, header] of [
      ["clive/mos.csv", "image,mos,std"],
      ["livecoding.csv", "image,mos,std"],
      ["mos.csv", "name,prompt,mos"],
      ["mos.csv", "image,mos,reference"],
    ] as const) {
      writeFileSync(path.join(root, file), `${header}\na,1,2\n`);
      expect(await detectFormat(path.join(root, file)), header).toBeUndefined();
    }
  });

  it("has its columns completed, those that the format makes among them", async () => {
    const columns = (file: string) => columnsOf(path.join(fixtures, file));
    expect(await columns("csiq.DMOS.xlsx")).toEqual([
      "image",
      "dst_idx",
      "dst_type",
      "dst_lev",
      "dmos_std",
      "dmos",
      "file",
    ]);
    expect(await columns("mos_with_names.txt")).toEqual(["mos", "image", "reference"]);
    expect(await columns("snappy.parquet")).toEqual(["image", "score", "std", "votes", "scene"]);
    expect(await columns("none.csv")).toEqual([]);
  });
});

describe("a project", () => {
  /** KADID-10k as it is unpacked, with images of two references. */
  async function kadid(config: string): Promise<string> {
    const root = temporaryFolder();
    mkdirSync(path.join(root, "images"));
    const rows = ["dist_img,ref_img,dmos,var"];
    for (let i = 0; i < 12; i++) {
      const reference = `I0${(i % 4) + 1}`;
      const name = `${reference}_01_0${Math.floor(i / 4) + 1}.png`;
      writeFileSync(path.join(root, "images", name), await picture(48, 32, i).png().toBuffer());
      rows.push(`${name},${reference}.png,${(1 + i / 3).toFixed(2)},0.5`);
    }
    writeFileSync(path.join(root, "dmos.csv"), `${rows.join("\n")}\n`);
    writeFileSync(path.join(root, "leaf.yaml"), config);
    return path.join(root, "leaf.yaml");
  }

  it("keeps each reference in one split, and says so", async () => {
    const project = await openProject(await kadid("images: images\nmos: { file: dmos.csv }\n"));
    const catalog = await openCatalog(project);
    const splitsOf = new Map<string, Set<string>>();
    for (const hash of catalog.hashes) {
      const reference = path.basename(catalog.relativePathOf(hash)).slice(0, 3);
      splitsOf.set(reference, (splitsOf.get(reference) ?? new Set()).add(catalog.splitOf(hash)));
    }
    expect([...splitsOf.values()].map((splits) => splits.size)).toEqual([1, 1, 1, 1]);
    expect(catalog.mosStd.size).toBe(12);
    catalog.close();
    expect((await checkProject(project, {})).reading).toEqual([
      "MOS: dmos.csv is read as KADID-10k (`format: kadid10k`): images by dist_img, scores by dmos, from 1 to 5, higher is better, standard deviations by var.",
      "Groups: images alike by ref_img never share two splits (4 groups), as is usual for KADID-10k; `groupBy: null` undoes it.",
    ]);
  });

  it("keeps a reference with its distorted versions, though it has no score", async () => {
    const test = makeIndex([
      "images/I01.png",
      "images/I01_01_01.png",
      "images/I02.png",
      "images/I02_01_05.png",
      "x.png",
    ]);
    const mos = await readMos(
      {
        file: path.join(fixtures, "dmos.csv"),
        format: "kadid10k",
        image: "dist_img",
        score: "dmos",
        range: [1, 5],
      },
      test.index,
      { columns: ["ref_img"] },
    );
    const source = { test: 0.4, val: 0, groupBy: "ref_img" };
    for (let seed = 0; seed < 20; seed++) {
      const split = await splitImages(test.index, { ...source, seed }, { columns: mos.columns });
      for (const reference of ["I01", "I02"]) {
        const of = (name: string) => split.of.get(test.hashOf(`images/${name}.png`));
        expect(of(reference)).toBe(of(reference === "I01" ? "I01_01_01" : "I02_01_05"));
      }
      expect(split).toMatchObject({ groups: 3, ungrouped: 1 });
    }
  });

  it("may keep its groups in the MOS file and its split in another", async () => {
    const file = await kadid("images: images\nmos: { file: dmos.csv }\nsplit: { file: split.csv }\n");
    const root = path.dirname(file);
    writeFileSync(
      path.join(root, "split.csv"),
      "image,split\nI01_01_01.png,testing\nI02_01_01.png,validation\n",
    );
    const catalog = await openCatalog(await openProject(file));
    // The two others of each reference go along.
    expect(catalog.counts).toEqual({ train: 6, val: 3, test: 3 });
    catalog.close();
    writeFileSync(path.join(root, "split.csv"), "image,split\nI01_01_01.png,test\nI01_01_02.png,train\n");
    await expect(openCatalog(await openProject(file))).rejects.toMatchObject({
      code: "config",
      message: 'split.csv puts images of the group "I01.png" in test and in train.',
    });
  });

  it("is made with the right `mos:`", async () => {
    const made = async (files: Record<string, string>) => {
      const root = temporaryFolder();
      mkdirSync(path.join(root, "photos"));
      writeFileSync(path.join(root, "photos", "a.png"), "");
      for (const [from, to] of Object.entries(files)) {
        mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
        copyFileSync(path.join(fixtures, from), path.join(root, to));
      }
      await initProject(root, { force: false });
      const text = readFileSync(path.join(root, "leaf.yaml"), "utf8");
      const lines = text.split("\n").filter((line) => /^(mos|split):/.test(line));
      return { lines, config: await loadConfig(path.join(root, "leaf.yaml")) };
    };
    const drawn = "split: { test: 0.2, val: 0.1, seed: 0, similar: 0.95 }";
    const spaq = "MOS and Image attribute scores.xlsx";
    expect((await made({ [spaq]: `Annotations/${spaq}` })).lines).toEqual([
      `mos: { file: "Annotations/${spaq}", format: spaq }`,
      drawn,
    ]);
    const koniq = await made({
      "koniq10k_scores_and_distributions.csv": "koniq10k_scores_and_distributions.csv",
      "koniq10k_distributions_sets.csv": "koniq10k_distributions_sets.csv",
    });
    expect(koniq.lines).toEqual([
      "mos: { file: koniq10k_scores_and_distributions.csv, format: koniq10k }",
      "split: { file: koniq10k_distributions_sets.csv }",
    ]);
    expect(koniq.config.split).toMatchObject({ image: "image_name", column: "set" });
    for (const [file, format] of [
      ["dmos.csv", "kadid10k"],
      ["csiq.DMOS.xlsx", "csiq"],
      ["mos_with_names.txt", "tid2013"],
      ["agiqa3k.csv", "agiqa3k"],
      ["info_train.csv", "aigiqa20k"],
    ] satisfies [string, MosFormatName][])
      expect((await made({ [file]: file })).lines, file).toEqual([
        `mos: { file: ${file}, format: ${format} }`,
        drawn,
      ]);
    // A table of no known dataset, whose columns speak for themselves.
    expect((await made({ "zstd.parquet": "ratings.parquet" })).lines[0]).toBe(
      "mos: { file: ratings.parquet, image: image, score: score, std: std, range: [1, 5] }",
    );
  });
});
