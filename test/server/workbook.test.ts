import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageConnection } from "vscode-languageserver/node";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { uriOf } from "../../src/server/uris.ts";
import { temporaryFolder } from "../integration/workspace.ts";
import { conditions, startServer } from "./startServer.ts";

// CSIQ, whose scores are an Excel workbook, in the built server.
const { dir, remove } = temporaryFolder();
const { until, look } = conditions();
const config = uriOf(path.join(dir, "leaf.yaml"));
const workbook = path.join(dir, "csiq.DMOS.xlsx");
const names = ["1600.AWGN.1", "1600.AWGN.5", "aerial_city.jpeg2000.3", "aerial_city.contrast.2"];
let connection: MessageConnection;
let stop: () => Promise<void>;
let project: ProjectSnapshot;

beforeAll(async () => {
  mkdirSync(path.join(dir, "dst_imgs"));
  for (const [i, name] of names.entries())
    await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: 50 * i, g: 90, b: 9 } } })
      .png()
      .toFile(path.join(dir, "dst_imgs", `${name}.png`));
  copyFileSync("test/fixtures/datasets/csiq.DMOS.xlsx", workbook);
  writeFileSync(path.join(dir, "leaf.yaml"), "images: dst_imgs\nmos: { file: csiq.DMOS.xlsx }\n");
  ({ connection, stop } = await startServer(dir, (one) => {
    one.onNotification("leaf/changed", (told: { projects: ProjectSnapshot[] }) => {
      project = told.projects[0]!;
      look();
    });
  }));
  await until(() => project?.images?.usable === 4);
});
afterAll(async () => {
  await stop();
  remove();
});

test("scores, range and deviations come from the workbook", async () => {
  expect(project.invalid).toBeNull();
  expect(project.mos).toMatchObject({ file: "csiq.DMOS.xlsx", rated: 4, range: [0, 1] });
  const text = "dst_imgs/1600.AWGN.5.png";
  const hover = await connection.sendRequest<{ markdown: string }>("leaf/imageHover", {
    document: uriOf(path.join(dir, "README.md")),
    text,
    character: 12,
  });
  expect(hover.markdown).toContain("MOS 0.832 ± 0.100 (0 to 1)");
});

test("a rating is refused with a way out, and the workbook stays as it is", async () => {
  const before = readFileSync(workbook);
  const queue = await connection.sendRequest<{ images: unknown[]; total: number }>("leaf/ratingQueue", {
    config,
    count: 5,
  });
  expect(queue.total).toBe(4);
  const page = await connection.sendRequest<{ rows: { hash: string }[] }>("leaf/images", {
    config,
    query: { sort: "path", descending: false, offset: 0, limit: 1 },
  });
  await expect(
    connection.sendRequest("leaf/rate", { config, hash: page.rows[0]!.hash, rating: 4 }),
  ).rejects.toThrow(/Ratings can only be written to a CSV file/);
  expect(readFileSync(workbook).equals(before)).toBe(true);
});
