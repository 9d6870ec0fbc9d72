import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { chosenStudent } from "../../../../src/engine/scoring/score.ts";
import { readStudentFiles } from "../../../../src/engine/student/file.ts";
import { remoteStudent } from "../../../../src/engine/student/remote/address.ts";
import { publishStudent } from "../../../../src/engine/student/remote/remote.ts";

const fixture = path.join(import.meta.dirname, "../../../fixtures/student");
let [dir, base] = ["", ""];
let server: Server;
/** What the server holds, and what it was asked. */
let files: Map<string, Buffer>;
let asked: string[];
const homeBefore = process.env.LEAF_HOME;

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), "leaf-remote-"));
  process.env.LEAF_HOME = path.join(dir, "home");
  files = new Map();
  asked = [];
  server = createServer((request, response) => {
    const url = request.url!;
    asked.push(`${request.method} ${url}`);
    const pieces: Buffer[] = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      if (request.method === "PUT") {
        files.set(url, Buffer.concat(pieces));
        return response.writeHead(201).end();
      }
      if (url.startsWith("/moved/"))
        return response.writeHead(302, { location: url.replace("/moved/", "/s/") }).end();
      if (url.startsWith("/away/"))
        return response.writeHead(302, { location: `http://example.invalid${url}` }).end();
      const found = files.get(url);
      response.writeHead(found ? 200 : 404).end(found);
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  if (homeBefore === undefined) delete process.env.LEAF_HOME;
  else process.env.LEAF_HOME = homeBefore;
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

const publish = (at = "/s") => publishStudent(fixture, remoteStudent(base + at));
const fetched = async (named: string) => (await chosenStudent(undefined, named)).folder;
const kept = () => {
  try {
    return readdirSync(path.join(dir, "home", "students"));
  } catch {
    return [];
  }
};

it("a student that was put to a URL comes back as it was, and is kept", async () => {
  const sum = await publish();
  const folder = await fetched(`${base}/s#sha256=${sum}`);
  for (const name of ["student.json", "student.onnx"])
    expect(readFileSync(path.join(folder, name))).toEqual(readFileSync(path.join(fixture, name)));
  expect((await readStudentFiles(folder)).card.model).toBe((await readStudentFiles(fixture)).card.model);
  asked = [];
  expect(await fetched(`${base}/s/#sha256=${sum}`)).toBe(folder);
  expect(asked).toEqual([]);
  // Without a checksum the manifest is asked for each time, and nothing else.
  expect(await fetched(`${base}/s`)).toBe(folder);
  expect(await fetched(`${base}/moved`)).toBe(folder);
  expect(asked).toEqual(["GET /s/student.sha256", "GET /moved/student.sha256", "GET /s/student.sha256"]);
});

it("another student than the one that is named is refused, and nothing is kept", async () => {
  const sum = await publish();
  const other = path.join(dir, "other");
  cpSync(fixture, other, { recursive: true });
  writeFileSync(path.join(other, "student.json"), `${readFileSync(path.join(fixture, "student.json"))} `);
  const otherSum = await publishStudent(other, remoteStudent(`${base}/s`));
  expect(otherSum).not.toBe(sum);
  await expect(fetched(`${base}/s#sha256=${sum}`)).rejects.toThrow(/not what its checksum says/);
  expect(kept()).toEqual([]);
  // Without a checksum the new one is taken, as it fits its own manifest.
  expect(path.basename(await fetched(`${base}/s`))).toBe(otherSum);
});

it("a damaged file is refused, and fetched again where it was damaged here", async () => {
  const sum = await publish();
  const whole = files.get("/s/student.onnx")!;
  files.set("/s/student.onnx", Buffer.concat([whole, Buffer.from("x")]));
  await expect(fetched(`${base}/s`)).rejects.toThrow(/student\.onnx is not what its checksum says/);
  expect(kept()).toEqual([]);
  files.set("/s/student.onnx", whole);
  const folder = await fetched(`${base}/s#sha256=${sum}`);
  writeFileSync(path.join(folder, "student.onnx"), "x");
  expect(await fetched(`${base}/s#sha256=${sum}`)).toBe(folder);
  expect(readFileSync(path.join(folder, "student.onnx"))).toEqual(whole);
});

it("tells what is not there, and does not follow to plain HTTP elsewhere", async () => {
  await expect(fetched(`${base}/none`)).rejects.toThrow(`There is no ${base}/none/student.sha256.`);
  await expect(fetched(`${base}/away`)).rejects.toThrow(/plain HTTP/);
  await expect(fetched(`${base}/s`)).rejects.toThrow(/There is no/);
});
