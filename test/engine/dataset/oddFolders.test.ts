import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { indexDataset, openIndex, type Place, placeKinds } from "../../../src/engine/dataset/dataset.ts";
import { updateIndex } from "../../../src/engine/dataset/index/update.ts";
import { isLinkedOut } from "../../../src/engine/dataset/linkedOut.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

let png: Buffer;
beforeAll(async () => {
  png = await picture(12, 10).png().toBuffer();
});

/** `top/project` holds the config; `top/beside` is out of it. */
function world(images: string | string[] = "photos") {
  const top = temporaryFolder();
  const root = path.join(top, "project");
  for (const dir of ["project/photos", "beside"]) mkdirSync(path.join(top, dir), { recursive: true });
  const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
  const place = { root, images, indexFile };
  const at = (file: string) => path.join(top, file);
  let n = 0;
  return {
    top,
    root,
    at,
    put(file: string) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      writeFileSync(at(file), Buffer.concat([png, Buffer.from(String(n++))]));
    },
    link(file: string, target: string) {
      mkdirSync(path.dirname(at(file)), { recursive: true });
      symlinkSync(target, at(file));
    },
    scan: () => indexDataset(place),
    update: (changed: string[], removed: string[] = []) =>
      updateIndex(place, { changed: changed.map(at), removed: removed.map(at) }),
    index() {
      const index = openIndex(indexFile);
      try {
        const files = [...index.iterate()].map((one) => one.path);
        return { files, places: [...index.places(...placeKinds)] as Place[] };
      } finally {
        index.close();
      }
    },
  };
}

describe("links", () => {
  const six = (put: (file: string) => void) => {
    for (let i = 0; i < 6; i++) put(`project/photos/${["", "a/", "a/b/"][i % 3]}i${i}.png`);
  };
  it.each<[string, [string, string][]]>([
    ["to the folder itself", [["a/loop", "."]]],
    ["to the folder above", [["a/up", ".."]]],
    [
      "two to folders above",
      [
        ["a/up", ".."],
        ["a/b/up", ".."],
      ],
    ],
    ["absolute", [["a/up", "ROOT/photos"]]],
    [
      "to the project and to the top of the disk",
      [
        ["a/p", "ROOT"],
        ["a/b/top", "/"],
      ],
    ],
    [
      "three to their own folder",
      [
        ["a/x", "../a"],
        ["a/y", "../a"],
        ["a/z", "../a"],
      ],
    ],
    [
      "two folders to each other",
      [
        ["a/c", "../b2"],
        ["b2/c", "../a"],
      ],
    ],
    ["to a folder that is found anyway", [["again", "a/b"]]],
  ])("%s: each image is found once", async (_, links) => {
    const { put, link, scan, root, index } = world();
    six(put);
    mkdirSync(path.join(root, "photos/b2"));
    for (const [file, target] of links) link(`project/photos/${file}`, target.replace("ROOT", root));
    expect(await scan()).toMatchObject({ files: 6, images: 6, places: { link: links.length } });
    expect(index().places.map((place) => place.path)).toEqual(links.map(([file]) => `photos/${file}`).sort());
  });

  it("of any kind end, with folders and globs, and single files agree with a whole scan", {
    timeout: 60_000,
  }, async () => {
    const folders = [
      "project/photos",
      "project/photos/a",
      "project/photos/a/b",
      "project/photos/.x",
      "beside",
      "beside/c",
    ];
    const folder = fc.constantFrom(...folders);
    const link = fc.tuple(
      folder,
      fc.constantFrom("l1", "l2", "l3.png"),
      fc.oneof(folder, fc.constantFrom("..", ".", "/none")),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<string | string[]>(
          "photos",
          "photos/**/*.png",
          ["photos/*/*.png", "photos/**/b/*"],
          [".", "../beside"],
        ),
        fc.uniqueArray(link, { minLength: 1, maxLength: 9, selector: ([a, b]) => `${a}/${b}` }),
        async (images, links) => {
          const { put, link, scan, at, update, index } = world(images);
          for (const one of folders) put(`${one}/i.png`);
          for (const [one, name, target] of links)
            link(
              `${one}/${name}`,
              target.startsWith("project") || target.startsWith("beside") ? at(target) : target,
            );
          const { files } = await scan();
          expect(files).toBeLessThan(200);
          const whole = index();
          // What a few files were told of agrees with what the search of the whole found.
          await update(links.map(([one, name]) => `${one}/${name}`));
          await update(folders);
          expect(index()).toEqual(whole);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("out of the project are followed, told and counted", async () => {
    const { put, link, scan, at, index, update } = world();
    put("project/photos/i.png");
    put("beside/set/j.png");
    put("beside/k.png");
    link("project/photos/set", at("beside/set"));
    link("project/photos/k.png", at("beside/k.png"));
    expect(await scan()).toMatchObject({ files: 3, images: 3, places: { outside: 2 } });
    expect(index()).toEqual({
      files: ["photos/i.png", "photos/k.png", "photos/set/j.png"],
      places: [
        {
          path: "photos/k.png",
          kind: "outside",
          reason: `the link leads out of the project's folder, to ${at("beside/k.png")}; the image is used`,
        },
        {
          path: "photos/set",
          kind: "outside",
          reason: `the link leads out of the project's folder, to ${at("beside/set")}; its images are used`,
        },
      ],
    });
    rmSync(at("project/photos/set"));
    await update([], ["project/photos/set"]);
    expect(index().places.map((place) => place.path)).toEqual(["photos/k.png"]);
  });

  it("to nothing are told, where an image or a folder of images was meant", async () => {
    const { put, link, scan, index } = world();
    put("project/photos/i.png");
    link("project/photos/gone.png", "nowhere.png");
    link("project/photos/disk", "/no/such/disk");
    link("project/photos/.hidden", "/no/such/disk");
    expect(await scan()).toMatchObject({ files: 1, places: { link: 2 } });
    expect(index().places.map((place) => [place.path, place.reason])).toEqual([
      ["photos/disk", "the link leads to nothing"],
      ["photos/gone.png", "the link leads to nothing"],
    ]);
  });
});

describe("files behind links out of the project", () => {
  it("are told from those that the page may show as they are", () => {
    const { put, link, at, root } = world();
    for (const file of ["project/photos/i.png", "project/store/j.png", "beside/k.png"]) put(file);
    link("project/photos/in", at("project/store"));
    link("project/photos/out", at("beside"));
    link("project/photos/k.png", "../../beside/k.png");
    link("project/away", at("beside"));
    const linkedOut = (file: string) => isLinkedOut(root, file);
    expect(
      ["photos/i.png", "photos/in/j.png", "../beside/k.png", "photos/none.png"].filter(linkedOut),
    ).toEqual([]);
    const out = ["photos/out/k.png", "photos/k.png", "away/k.png"];
    expect(out.filter(linkedOut)).toEqual(out);
    // The project itself may be reached by a link.
    symlinkSync(root, at("alias"));
    expect(isLinkedOut(at("alias"), "photos/i.png")).toBe(false);
    expect(isLinkedOut(at("alias"), "photos/k.png")).toBe(true);
  });
});

describe("names that are not UTF-8", () => {
  const bad = (top: string, folder: string, name: number[]) =>
    Buffer.concat([Buffer.from(`${path.join(top, folder)}/`), Buffer.from(name)]);
  const latin = [...Buffer.from("caf"), 0xe9];

  it("are told as far as they can be shown, and counted; others beside them are found", async () => {
    const { put, scan, top, index, update } = world();
    put("project/photos/good\ufffd.png");
    put("project/photos/gut ü.png");
    writeFileSync(bad(top, "project/photos", [...latin, ...Buffer.from(".png")]), png);
    writeFileSync(bad(top, "project/photos", [...latin, ...Buffer.from(".txt")]), "text");
    mkdirSync(bad(top, "project/photos", latin));
    expect(await scan()).toMatchObject({ files: 2, places: { name: 2 } });
    expect(index().files).toEqual(["photos/good\ufffd.png", "photos/gut ü.png"]);
    expect(index().places.map((place) => place.path)).toEqual(["photos/caf\\xe9", "photos/caf\\xe9.png"]);
    rmSync(bad(top, "project/photos", latin), { recursive: true });
    await update(["project/photos"]);
    expect(index().places.map((place) => place.path)).toEqual(["photos/caf\\xe9.png"]);
  });
});

/** Permissions do not bind root: then the scan runs as nobody. */
const isRoot = process.getuid?.() === 0;

describe.skipIf(process.platform === "win32")("folders that cannot be read", () => {
  it("are told by name, and the others are read", { timeout: 30_000 }, async () => {
    const { put, at, root, top, index, scan } = world();
    for (let i = 0; i < 4; i++) put(`project/photos/i${i}.png`);
    for (let i = 0; i < 3; i++) put(`project/photos/locked/j${i}.png`);
    for (let i = 0; i < 3; i++) put(`project/photos/listed/k${i}.png`);
    await scan();
    chmodSync(at("project/photos/locked"), 0o000);
    // Its names can be read, its files not.
    chmodSync(at("project/photos/listed"), 0o444);
    try {
      expect(await scanAsUser(top, root)).toMatchObject({ files: 4, images: 4, removed: 6 });
      expect(index().places).toEqual([
        ...[0, 1, 2].map((i) => ({
          path: `photos/listed/k${i}.png`,
          kind: "unreadable",
          reason: "it cannot be looked at: permission to read it is denied",
        })),
        {
          path: "photos/locked",
          kind: "unreadable",
          reason: "the folder cannot be read: permission to read it is denied",
        },
      ]);
    } finally {
      for (const dir of ["locked", "listed"]) chmodSync(at(`project/photos/${dir}`), 0o755);
    }
    expect(await scan()).toMatchObject({ files: 10, images: 10, read: 6 });
    expect(index().places).toEqual([]);
  });

  async function scanAsUser(top: string, root: string): Promise<unknown> {
    const indexFile = path.join(root, ".leaf", "cache", "index.sqlite");
    if (!isRoot) return indexDataset({ root, images: "photos", indexFile });
    // Root may read everything: the user "nobody" may not.
    execFileSync("chown", ["-R", "65534:65534", top]);
    chmodSync(top, 0o755);
    const script = path.resolve("test/support/scanIndex.ts");
    const out = execFileSync(
      "setpriv",
      [
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        process.execPath,
        script,
        root,
        indexFile,
        "0",
      ],
      { encoding: "utf8" },
    );
    return JSON.parse(out);
  }
});

describe("deep folders", () => {
  it("end at a bound, which is told", async () => {
    const { put, scan, index } = world();
    put(`project/photos/${"d/".repeat(40)}i.png`);
    put(`project/photos/${"d/".repeat(120)}j.png`);
    expect(await scan()).toMatchObject({ files: 1, places: { unreadable: 1 } });
    expect(index().places[0]?.reason).toBe("it lies more than 100 folders deep");
  });
});
