import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { trainsOn, trainsOnLine } from "../../../src/engine/python/environment.ts";

const dir = mkdtempSync(path.join(tmpdir(), "leaf-trains-on-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A Python that answers as `python -m leaf --env` does on such a machine. */
function machine(answer: Record<string, unknown>): void {
  const file = path.join(dir, "python");
  const found = { python: "3.12", torch: "2.13", transformers: "5", cuda: false, mps: false, ...answer };
  writeFileSync(file, `#!/bin/sh\necho '${JSON.stringify(found)}'\n`);
  chmodSync(file, 0o755);
  vi.stubEnv("LEAF_PYTHON", file);
}
const project = (device = "auto") => ({ config: { python: { device } }, root: dir });
const unseen: [string, string] = [
  "A GPU is here, and this PyTorch was built for the CPU alone",
  "Set it up.",
];

describe.skipIf(process.platform === "win32")("the line of `leaf check`", () => {
  test("names the device", async () => {
    machine({ device: "cuda", deviceName: "NVIDIA L4", unseen: null });
    expect(trainsOnLine(await trainsOn(project()))).toBe("Trains on cuda (NVIDIA L4).");
  });

  test("says why a GPU that is here is not used, and what to do", async () => {
    machine({ device: "cpu", deviceName: "x86_64", unseen });
    expect(trainsOnLine(await trainsOn(project()))).toBe(
      "Trains on cpu (x86_64). A GPU is here, and this PyTorch was built for the CPU alone. Set it up.",
    );
  });

  test("misses no GPU where the config wants the CPU", async () => {
    machine({ device: "cuda", deviceName: "NVIDIA L4", unseen: null });
    expect(trainsOnLine(await trainsOn(project("cpu")))).toBe("Trains on cpu.");
    machine({ device: "cpu", deviceName: "x86_64", unseen });
    expect(trainsOnLine(await trainsOn(project("cpu")))).toBe("Trains on cpu (x86_64).");
  });

  test("does not fail where there is no Python to ask", async () => {
    machine({ missing: ["torch"] });
    expect(await trainsOn(project())).toBeNull();
    vi.stubEnv("LEAF_PYTHON", path.join(dir, "none"));
    expect(trainsOnLine(await trainsOn(project()))).toContain("`leaf env`");
  });
});
