import { describe, expect, it } from "vitest";
import {
  chosenProvider,
  installedProviders,
  onGpuOrCpu,
  type Provider,
} from "../../../src/engine/student/providers.ts";

const linux = [
  { name: "cpu", bundled: true },
  { name: "webgpu", bundled: true },
  { name: "cuda", bundled: false },
];
const windows = [
  { name: "cpu", bundled: true },
  { name: "dml", bundled: true },
];

describe("the provider of ONNX Runtime", () => {
  it("is CUDA's where its part is installed, another where it is named, else the CPU's", () => {
    expect(chosenProvider({ backends: linux, cuda: true }, undefined)).toBe("cuda");
    expect(chosenProvider({ backends: linux, cuda: false }, undefined)).toBeUndefined();
    expect(chosenProvider({ backends: windows, cuda: false }, undefined)).toBeUndefined();
    expect(chosenProvider({ backends: windows, cuda: false }, "dml")).toBe("dml");
    expect(chosenProvider({ backends: linux, cuda: false }, "webgpu")).toBe("webgpu");
    expect(chosenProvider({ backends: linux, cuda: true }, "cpu")).toBeUndefined();
    expect(chosenProvider({ backends: linux, cuda: true }, "coreml")).toBeUndefined();
    expect(chosenProvider({ backends: linux, cuda: true }, "nonsense")).toBeUndefined();
  });

  it("is told by the package that is installed here", () => {
    const { backends } = installedProviders();
    expect(backends.map(({ name }) => name)).toContain("cpu");
  });

  function world(answers: Record<string, number[] | Error>) {
    const released: string[] = [];
    const open = async (provider: Provider | "cpu") => {
      const answer = answers[provider]!;
      if (answer instanceof Error) throw answer;
      return { provider, answer, release: async () => void released.push(provider) };
    };
    const score = async ({ answer }: { answer: number[] }) => Float32Array.from(answer);
    return { released, chosen: (provider?: Provider) => onGpuOrCpu(open, provider, score) };
  }

  it.each([
    ["answers as the CPU does", { cpu: [3, 4], cuda: [3.0005, 3.9995] }, "cuda", ["cpu"]],
    ["answers otherwise", { cpu: [3, 4], cuda: [3.1, 4] }, "cpu", ["cuda"]],
    ["gives no number", { cpu: [3, 4], cuda: [Number.NaN, 4] }, "cpu", ["cuda"]],
    ["cannot be opened", { cpu: [3, 4], cuda: new Error("no driver") }, "cpu", []],
  ] as const)("a GPU that %s", async (_, answers, provider, released) => {
    const here = world(answers as unknown as Record<string, number[] | Error>);
    expect((await here.chosen("cuda")).provider).toBe(provider);
    expect(here.released).toEqual(released);
    expect((await here.chosen()).provider).toBe("cpu");
  });
});
