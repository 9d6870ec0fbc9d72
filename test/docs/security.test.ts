import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

test("every test that docs/security.md names is there", () => {
  const text = readFileSync("docs/security.md", "utf8");
  const brackets = [...text.matchAll(/\[(`[^\]]+`)\](?!\()/g)].map((found) => found[1]!);
  const names = brackets.flatMap((inside) => [...inside.matchAll(/`([^`]+)`/g)].map((found) => found[1]!));
  expect(names.length).toBeGreaterThan(15);
  const fileOf = (name: string) => path.join("test", name.endsWith("/") ? name : `${name}.test.ts`);
  expect(names.filter((name) => !existsSync(fileOf(name)))).toEqual([]);
});
