import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { bringIn } from "../../../../src/engine/dataset/index/bringIn.ts";
import { openForScan } from "../../../../src/engine/dataset/index/file.ts";
import { findImagesTogether } from "../../../../src/engine/dataset/index/find.ts";
import { temporaryFolder } from "../../../support/pictures.ts";

it("of many files only some are held at a time: paths that were listed, and rows that are not written yet", async () => {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "photos"));
  const count = 5000;
  for (let i = 0; i < count; i++) writeFileSync(path.join(root, "photos", `${i}.jpg`), `${i}`);
  let most = 0;
  for await (const some of findImagesTogether(root, "photos")) most = Math.max(most, some.length);
  expect(most).toBeLessThanOrEqual(512);

  const db = openForScan(path.join(root, ".leaf", "index.sqlite"));
  let [seen, written, waiting] = [0, 0, 0];
  await bringIn(
    db,
    { root, images: "photos", indexFile: "" },
    {
      onDone() {
        seen++;
        waiting = Math.max(waiting, seen - written);
      },
      onWritten: () => written++,
      onRemoved: () => {},
    },
  );
  db.close();
  expect([seen, written]).toEqual([count, count]);
  expect(waiting).toBeLessThanOrEqual(1024);
});
