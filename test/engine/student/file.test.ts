import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { LeafError } from "../../../src/engine/base/errors.ts";
import { onnxFault } from "../../../src/engine/student/onnxFile.ts";
import { openStudent, scoreImages } from "../../../src/engine/student/student.ts";
import { inEnglish } from "../../../src/words/text.ts";
import {
  bytes,
  message,
  number,
  type SmallNetwork,
  smallNetwork,
  tensor,
  types,
  varint,
} from "../../support/onnxWriter.ts";
import { temporaryFolder } from "../../support/pictures.ts";

function faultOf(bytes: Uint8Array): string | undefined {
  const fault = onnxFault(bytes);
  return fault && inEnglish(fault);
}

const fixture = path.join(import.meta.dirname, "../../fixtures/student");
const card = JSON.parse(readFileSync(path.join(fixture, "student.json"), "utf8"));
const model = readFileSync(path.join(fixture, "student.onnx"));
const plain = { ...card, outputs: undefined, domain: null };
const { crop } = card.input as { crop: number };

function folder(network: Uint8Array, about: unknown = plain): string {
  const dir = temporaryFolder();
  writeFileSync(path.join(dir, "student.onnx"), network);
  writeFileSync(path.join(dir, "student.json"), typeof about === "string" ? about : JSON.stringify(about));
  return dir;
}

async function refusal(dir: string): Promise<string> {
  const student = await openStudent(dir).then(
    async (opened) => {
      await opened.close();
      return undefined;
    },
    (error: unknown) => error,
  );
  expect(student).toBeInstanceOf(LeafError);
  const { code, message, file } = student as LeafError;
  expect({ code, file: path.dirname(file!) }).toEqual({ code: "input", file: dir });
  return message.replaceAll(dir + path.sep, "");
}

async function picture(): Promise<string> {
  const file = path.join(temporaryFolder(), "a.png");
  await sharp({ create: { width: 64, height: 64, channels: 3, background: "#808080" } })
    .png()
    .toFile(file);
  return file;
}

describe("a student from elsewhere", () => {
  it("is opened as LEAF writes it, as LEAF 0.1.0 wrote it, and as small as can be", async () => {
    for (const dir of [fixture, `${fixture}-0.1`, folder(smallNetwork(crop))])
      await (await openStudent(dir)).close();
  });

  it("never reads weights from a file, not even of the current folder", async () => {
    const here = process.cwd();
    const cwd = temporaryFolder();
    mkdirSync(path.join(cwd, "sub"));
    writeFileSync(path.join(cwd, "w.bin"), Buffer.from(new Float32Array(16).fill(7).buffer));
    process.chdir(cwd);
    onTestFinished(() => process.chdir(here));
    for (const location of ["w.bin", "sub/../w.bin", path.join(cwd, "w.bin"), "*/_ORT_MEM_ADDR_/*"]) {
      const network = smallNetwork(crop, { weights: { location } });
      expect(await refusal(folder(network))).toBe(
        "student.onnx is not a usable ONNX file: it reads a part of the network from another file.",
      );
    }
  });

  it("nor where such a tensor hides: in a branch, a sparse tensor, a function, a second graph", () => {
    const external = message(5, ...tensor("w", { location: "w.bin" }));
    const constant = (field: number) => message(5, message(field, ...tensor("w", { location: "w.bin" })));
    const asGraph = (...parts: Buffer[]) => message(7, ...parts);
    const hidden = [
      asGraph(message(1, constant(5))),
      asGraph(message(1, message(5, message(6, external)))),
      asGraph(message(1, message(5, message(11, external)))),
      asGraph(message(15, message(1, ...tensor("w", { location: "w.bin" })))),
      Buffer.concat([asGraph(), message(25, message(7, constant(10)))]),
      Buffer.concat([asGraph(), message(20, message(1, external))]),
      // Any spelling of "external" counts: a longer one of the same number, and any other number.
      asGraph(message(5, Buffer.concat([varint(14 * 8), Buffer.from([0x81, 0x80, 0x00])]))),
    ];
    for (const one of hidden) expect(faultOf(one)).toMatch(/from another file/);
    expect(faultOf(Buffer.concat([asGraph(), asGraph(external)]))).toMatch(/from another file/);
    expect(faultOf(Buffer.concat([asGraph(), asGraph()]))).toBe("it holds several networks");
    expect(faultOf(number(1, 9))).toBe("it holds no network");
    expect(faultOf(Buffer.from("hello"))).toBe("it is cut off or damaged");
    let deep = message(5, number(1, 1));
    for (let i = 0; i < 60; i++) deep = message(1, message(5, bytes(6, deep)));
    expect(faultOf(bytes(7, deep))).toBe("it is nested too deeply");
  });

  it("has the names, types and shapes that it should have, or says what it has", async () => {
    const wrong: [SmallNetwork, string][] = [
      [{ output: "result" }, "it has no output `score` (it has result)"],
      [{ input: "x" }, "its input is `x`, not `pixels`"],
      [
        { inputType: types.float32 },
        `\`pixels\` is float32 n × ${crop} × ${crop} × 3, not uint8 n × ${crop} × ${crop} × 3`,
      ],
      [
        { inputShape: ["n", 99, 99, 3] },
        `\`pixels\` is uint8 n × 99 × 99 × 3, not uint8 n × ${crop} × ${crop} × 3`,
      ],
    ];
    for (const [network, why] of wrong)
      expect(await refusal(folder(smallNetwork(crop, network)))).toBe(
        `student.onnx is not a usable ONNX file: ${why}.`,
      );
  });

  it("has a card that fits, or says what does not", async () => {
    const input = (changed: object) => ({ ...plain, input: { ...plain.input, ...changed } });
    const wrong: [unknown, RegExp][] = [
      ["", /it is not JSON/],
      ['{"v":1,', /it is not JSON/],
      ["null", /expected object/],
      ["[]", /expected object/],
      ['{"v":1}', /`stage`/],
      [input({ crop: 0 }), /`input.crop`/],
      [input({ crop: 1e9 }), /`input.crop`/],
      [input({ crop: 64.5 }), /`input.crop`/],
      [input({ crop: "64" }), /`input.crop`/],
      [input({ resize: "../x" }), /`input.resize`/],
      [input({ views: 1e6 }), /`input.views`/],
      [{ ...plain, mosScale: {} }, /`mosScale.range`/],
      [
        { ...plain, mosScale: { range: [3, 3], lowerIsBetter: false } },
        /`mosScale.range`: must be \[lowest, highest\]/,
      ],
      [{ ...plain, domain: { ...card.domain, threshold: 0 } }, /`domain.threshold`/],
      [{ ...plain, domain: "x" }, /`domain`/],
      [`{"v":1,"x":${"[".repeat(100)}${"]".repeat(100)}}`, /nested too deeply/],
    ];
    for (const [about, why] of wrong) {
      const told = await refusal(folder(model, about));
      expect(told).toMatch(/^student\.json does not describe a student: /);
      expect(told).toMatch(why);
    }
    expect(await refusal(folder(model, { v: 2 }))).toBe("student.json is of a newer version of LEAF.");
  });

  it("that gives no number scores no image, and says so", async () => {
    const file = await picture();
    for (const value of [Number.NaN, 3e38, Number.NEGATIVE_INFINITY]) {
      const student = await openStudent(
        folder(smallNetwork(crop, { weights: new Float32Array(16).fill(value) })),
      );
      const found = [];
      for await (const one of scoreImages(student, [{ path: file, hash: null }])) found.push(one);
      await student.close();
      expect(found).toEqual([
        { item: { path: file, hash: null }, reason: "The student gave no number.", lasting: true },
      ]);
    }
  });

  it("is a student or a clear refusal, whatever has happened to its files", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(model, smallNetwork(crop)),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat()),
        async (whole, flips, cut) => {
          const network = Buffer.from(whole);
          for (const [at, value] of flips) network[at % network.length] = value;
          const kept = cut === null ? network : network.subarray(0, cut % network.length);
          const opened = await openStudent(folder(kept, card)).catch((error: unknown) => error);
          if (opened instanceof Error) expect(opened).toBeInstanceOf(LeafError);
          else await (opened as Awaited<ReturnType<typeof openStudent>>).close();
        },
      ),
      { numRuns: 60 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (some) => void onnxFault(some)));
  });
});
