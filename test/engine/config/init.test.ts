import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { initProject } from "../../../src/engine/config/init.ts";
import { parseConfig } from "../../../src/engine/config/read.ts";

const dir = mkdtempSync(path.join(tmpdir(), "leaf-init-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it("offers the teacher by opposite texts where no GPU is seen, as a line that only has to be uncommented", async () => {
  const { file } = await initProject(dir, { force: false });
  const text = readFileSync(file, "utf8");
  const written = parseConfig(text);
  expect(written.ok && written.config.teacher.kind).toBe("embedded");
  const offered = /^# (teacher: \{ kind: clip,.*\})$/m.exec(text)?.[1];
  if (existsSync("/proc/driver/nvidia/version")) return expect(offered).toBeUndefined();
  const changed = parseConfig(text.replace(/^teacher: .*$/m, offered!));
  expect(changed.ok && changed.config.teacher).toMatchObject({
    kind: "clip",
    model: "google/siglip-base-patch16-224",
  });
});
