import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { openProject } from "../../../src/engine/config/project.ts";
import { exportTo } from "../../../src/engine/report/export.ts";
import { teacherFingerprint } from "../../../src/engine/teachers/createTeacher.ts";
import { inEnglish } from "../../../src/words/text.ts";
import { pointRow, putLabels } from "../../support/liveWorld.ts";
import { temporaryFolder } from "../../support/pictures.ts";

test("labels of images alone are written, and it is said that there are no more", async () => {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const bytes = await sharp({ create: { width: 40, height: 40, channels: 3, background: "#888" } })
    .png()
    .toBuffer();
  writeFileSync(path.join(root, "photos", "grey.png"), bytes);
  writeFileSync(path.join(root, "leaf.yaml"), "images: photos\n");
  const project = await openProject(path.join(root, "leaf.yaml"));
  const out = path.join(root, "out");
  const said: string[] = [];
  const write = () => exportTo(project, "labels", out, { onWarning: (text) => said.push(inEnglish(text)) });
  await expect(write()).rejects.toThrow("The images are not labelled yet.");

  // As `leaf label --points-only` leaves it.
  putLabels(project, await teacherFingerprint(project.config.teacher, root), [
    pointRow(hashBytes(bytes), 3.5),
  ]);
  await write();
  const [header, ...rows] = readFileSync(path.join(out, "points.csv"), "utf8").trim().split("\n");
  expect(header).toContain("image,hash,score");
  expect(rows.map((row) => row.split(",").slice(0, 3))).toEqual([
    ["photos/grey.png", hashBytes(bytes), "3.5"],
  ]);
  expect(readFileSync(path.join(out, "pairs.csv"), "utf8").trim().split("\n")).toHaveLength(1);
  expect(said.at(-1)).toBe("labelling is not finished: 1 image labels and 0 pairs so far");
});
