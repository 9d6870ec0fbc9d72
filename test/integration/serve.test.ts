import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { leaf, leafJson, startLeaf } from "./workspace.ts";

// The real command line with the small student of the tests.
const student = path.resolve("test/fixtures/student");
const photo = path.resolve("demo/photos/coffee.jpg");

test("serve scores until it is asked to stop, answers what it was asked, and ends well", async () => {
  const { child, done } = startLeaf(process.cwd(), ["serve", "--student", student, "--port", "0", "--json"]);
  let said = "";
  const ready = new Promise<string>((resolve) => {
    child.stdout!.on("data", (text: string) => {
      said += text;
      if (said.trimEnd().endsWith("}")) resolve(JSON.parse(said).url);
    });
  });
  const url = await Promise.race([ready, done.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  const ask = () =>
    fetch(`${url}/v1/score`, {
      method: "POST",
      headers: { "content-type": "image/jpeg" },
      body: readFileSync(photo),
    }).then((answer) => answer.json());
  const { scores } = await leafJson<{ scores: { score: number }[] }>(
    process.cwd(),
    "score",
    photo,
    "--student",
    student,
  );
  expect((await ask()) as object).toMatchObject({ score: scores[0]!.score });
  const asked = [ask(), ask(), ask()];
  await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain("leaf_requests_inside");
  const answers = Promise.all(asked);
  await answers;
  child.kill("SIGTERM");
  expect((await done).code).toBe(0);
});

test("serve refuses to be reached by others without a token, and a port that is no number", async () => {
  const open = await leaf(process.cwd(), "serve", "--student", student, "--host", "0.0.0.0");
  expect(open.code).toBe(2);
  expect(open.stderr).toContain("there is no token");
  const port = await leaf(process.cwd(), "serve", "--student", student, "--port", "many");
  expect(port.code).toBe(2);
  expect(port.stderr).toContain("--port takes a whole number from 0 to 65535.");
});

test("score - answers lines of standard input as lines of JSON, and Ctrl+C ends it", async () => {
  const child = spawn(process.execPath, [path.resolve("bin/leaf.js"), "score", "-", "--student", student], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.write(`${photo}\n{"image":"none.png","id":"x"}\n`);
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  await expect.poll(() => out.split("\n").length, { timeout: 30_000 }).toBe(3);
  const [first, second] = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(first).toMatchObject({ image: photo, score: expect.any(Number) });
  expect(second).toMatchObject({
    image: "none.png",
    id: "x",
    reason: expect.stringContaining("does not exist"),
  });
  child.kill("SIGINT");
  const [code] = await once(child, "close");
  expect(code).toBe(130);
});
