import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { blocksOf, cudaOnly, nameOf } from "../../../scripts/python/blocks.js";
import { supportedPythons } from "../../../src/engine/python/supported.ts";

const folder = path.join("src", "python");
const read = (name: string) => readFileSync(path.join(folder, name), "utf8");
const locks = ["requirements.txt", "requirements-cuda.txt", "requirements-dev.txt"];
const pins = (text: string) =>
  new Map(
    [...text.matchAll(/^([A-Za-z0-9._-]+)==([^\s;\\]+)/gm)].map(([, name, version]) => [
      nameOf(name!),
      version,
    ]),
  );

test("what people read, what pip reads and what LEAF looks for are the same Pythons", () => {
  const [from, to] = [supportedPythons.from.join("."), supportedPythons.to.join(".")];
  const after = `${supportedPythons.to[0]}.${supportedPythons.to[1] + 1}`;
  const project = read("pyproject.toml");
  expect(/^requires-python = "(.*)"$/m.exec(project)?.[1]).toBe(`>=${from},<${after}`);
  expect(/^python_version = "(.*)"$/m.exec(project)?.[1]).toBe(from);
  expect(/^target-version = "py(.*)"$/m.exec(project)?.[1]).toBe(from.replace(".", ""));
  const named = [...readFileSync("README.md", "utf8").matchAll(/Python (3\.\d+)(?: (?:to|or) (\S+))?/g)];
  expect(named.map(([, low, high]) => [low, high])).toEqual([[from, to]]);
});

test("the locks name each package once by version and hash, and keep to what is asked for", () => {
  const seen = new Map<string, string>();
  for (const lock of locks) {
    for (const block of blocksOf(read(lock))) {
      const [requirement, ...hashes] = block.split(" \\\n    ");
      expect(requirement).toMatch(/^[a-z0-9-]+==[^\s;]+( ; .+)?$/);
      expect(hashes.length, requirement).toBeGreaterThan(0);
      for (const hash of hashes) expect(hash).toMatch(/^--hash=sha256:[0-9a-f]{64}$/);
      // Only where Pythons need different versions is one named twice, and then in one lock.
      expect(seen.get(nameOf(block)) ?? lock).toBe(lock);
      seen.set(nameOf(block), lock);
    }
  }
  expect(Object.fromEntries(pins(read("requirements.txt")))).toMatchObject(
    Object.fromEntries(pins(read("requirements.in"))),
  );
  expect(Object.fromEntries(pins(read("requirements-dev.txt")))).toMatchObject(
    Object.fromEntries(pins(read("requirements-dev.in"))),
  );
  expect(blocksOf(read("requirements-cuda.txt")).every(cudaOnly)).toBe(true);
  expect(blocksOf(read("requirements.txt")).some(cudaOnly)).toBe(false);
});

test("the lock of Ray keeps to what is asked for, and to the trainer's versions", () => {
  const ray = pins(read("requirements-ray.txt"));
  const asked = pins(read("requirements-ray.in").replaceAll(/\[\w+\]/g, ""));
  expect([...asked.keys()]).toEqual(["ray", "msgspec"]);
  expect(Object.fromEntries(ray)).toMatchObject(Object.fromEntries(asked));
  const trainer = pins(read("requirements.txt"));
  for (const [name, version] of ray) expect(trainer.get(name) ?? version, name).toBe(version);
});

test("PyTorch without CUDA is the same release, a wheel for each Python and machine", () => {
  const [block, ...more] = blocksOf(read("requirements-cpu.txt"));
  expect(more).toEqual([]);
  expect(pins(block!).get("torch")).toBe(`${pins(read("requirements.in")).get("torch")}+cpu`);
  const pythons = supportedPythons.to[1] - supportedPythons.from[1] + 1;
  expect(new Set(block!.match(/--hash=sha256:[0-9a-f]{64}\b/g)).size).toBe(2 * pythons);
});
