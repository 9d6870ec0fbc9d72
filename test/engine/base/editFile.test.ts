import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editFile, endOfLinks } from "../../../src/engine/base/editFile.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { indexDataset } from "../../../src/engine/dataset/dataset.ts";
import { excludeImages } from "../../../src/engine/dataset/exclude.ts";
import { picture, temporaryFolder } from "../../support/pictures.ts";

function folder() {
  const root = temporaryFolder();
  return { root, at: (file: string) => path.join(root, file) };
}

describe("editFile", () => {
  it("keeps links, mode and other names, and leaves nothing beside the file", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          links: fc.integer({ min: 0, max: 3 }),
          absolute: fc.boolean(),
          hardLink: fc.boolean(),
          mode: fc.constantFrom(0o600, 0o640, 0o644, 0o664, 0o755),
          before: fc.string(),
          after: fc.string(),
        }),
        async ({ links, absolute, hardLink, mode, before, after }) => {
          const { root, at } = folder();
          mkdirSync(at("real"));
          writeFileSync(at("real/file"), before);
          chmodSync(at("real/file"), mode);
          if (hardLink) linkSync(at("real/file"), at("other"));
          let name = "real/file";
          for (let i = 0; i < links; i++) {
            symlinkSync(absolute ? at(name) : name, at(`link${i}`));
            name = `link${i}`;
          }
          const owner = statSync(at("real/file")).uid;
          await editFile(at(name), (bytes) => {
            expect(bytes.toString()).toBe(before);
            return after;
          });
          expect(readFileSync(at("real/file"), "utf8")).toBe(after);
          if (hardLink) expect(readFileSync(at("other"), "utf8")).toBe(after);
          expect(statSync(at("real/file")).mode & 0o7777).toBe(mode);
          expect(statSync(at("real/file")).uid).toBe(owner);
          for (let i = 0; i < links; i++) expect(lstatSync(at(`link${i}`)).isSymbolicLink()).toBe(true);
          expect(readdirSync(at("real"))).toEqual(["file"]);
          expect(readdirSync(root).length).toBe(1 + links + (hardLink ? 1 : 0));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("asks again with what another program wrote meanwhile", async () => {
    const { at } = folder();
    writeFileSync(at("file"), "one\n");
    let asked = 0;
    await editFile(at("file"), (bytes) => {
      if (asked++ === 0) writeFileSync(at("file"), "one\ntwo\n");
      return `${bytes}mine\n`;
    });
    expect(readFileSync(at("file"), "utf8")).toBe("one\ntwo\nmine\n");
    expect(asked).toBe(2);
  });

  it("gives up where another program never stops, and says so", async () => {
    const { at, root } = folder();
    writeFileSync(at("file"), "");
    let n = 0;
    const edit = editFile(at("file"), (bytes) => {
      writeFileSync(at("file"), "x".repeat(++n));
      return `${bytes}mine`;
    });
    await expect(edit).rejects.toMatchObject({ code: "failed", file: at("file") });
    expect(readFileSync(at("file"), "utf8")).toBe("x".repeat(n));
    expect(readdirSync(root)).toEqual(["file"]);
  });

  it("does not touch a file that stays as it is, and tells of one that is not there", async () => {
    const { at } = folder();
    writeFileSync(at("file"), "same");
    const { ino, mtimeMs } = statSync(at("file"));
    await editFile(at("file"), () => undefined);
    await editFile(at("file"), () => "same");
    expect(statSync(at("file"))).toMatchObject({ ino, mtimeMs });
    await expect(editFile(at("none"), () => "")).rejects.toMatchObject({
      code: "failed",
      message: expect.stringContaining("does not exist"),
    });
    expect(existsSync(at("none"))).toBe(false);
  });

  it("finds where a file would be written, also through links to nowhere and in a circle", async () => {
    const { at } = folder();
    symlinkSync("later", at("a"));
    symlinkSync("a", at("b"));
    symlinkSync("c", at("c"));
    expect(await endOfLinks(at("b"))).toBe(at("later"));
    expect(await endOfLinks(at("plain"))).toBe(at("plain"));
    expect(await endOfLinks(at("c"))).toBe(at("c"));
  });
});

describe("excludeImages", () => {
  it("keeps a config that is a link a link, and its mode", async () => {
    const { at } = folder();
    for (const dir of ["project", "shared", "project/photos"]) mkdirSync(at(dir));
    writeFileSync(at("project/photos/a.png"), await picture().png().toBuffer());
    writeFileSync(at("shared/base.yaml"), "images: photos # mine\n");
    chmodSync(at("shared/base.yaml"), 0o640);
    symlinkSync("../shared/base.yaml", at("project/leaf.yaml"));
    const project = await openProject(at("project/leaf.yaml"));
    await indexDataset({ root: project.root, images: "photos", indexFile: project.indexFile });
    expect(await excludeImages(project, ["photos/a.png"])).toBe(1);
    expect(lstatSync(at("project/leaf.yaml")).isSymbolicLink()).toBe(true);
    expect(readlinkSync(at("project/leaf.yaml"))).toBe("../shared/base.yaml");
    expect(readFileSync(at("shared/base.yaml"), "utf8")).toBe('images: [photos, "!photos/a.png"] # mine\n');
    expect(statSync(at("shared/base.yaml")).mode & 0o7777).toBe(0o640);
  });

  it("refuses a config that is not UTF-8 instead of damaging it", async () => {
    const { at } = folder();
    mkdirSync(at("photos"));
    writeFileSync(at("photos/a.png"), await picture().png().toBuffer());
    writeFileSync(at("leaf.yaml"), "images: photos # mine\n");
    const project = await openProject(at("leaf.yaml"));
    await indexDataset({ root: project.root, images: "photos", indexFile: project.indexFile });
    const latin = Buffer.concat([Buffer.from("images: photos # f"), Buffer.from([0xfc]), Buffer.from("r\n")]);
    writeFileSync(at("leaf.yaml"), latin);
    await expect(excludeImages(project, ["photos/a.png"])).rejects.toMatchObject({ code: "config" });
    expect(readFileSync(at("leaf.yaml"))).toEqual(latin);
  });
});
