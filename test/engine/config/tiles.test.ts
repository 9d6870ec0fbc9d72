import { describe, expect, it } from "vitest";
import {
  type OpenaiTeacherConfig,
  type TransformersTeacherConfig,
  teacherSchema,
} from "../../../src/engine/config/teacher.ts";
import { processorOptions, requestedTiles, servedBy, tileBudget } from "../../../src/engine/config/tiles.ts";
import { serverItem } from "../../../src/engine/consent/items.ts";
import { openaiTeacherFingerprint } from "../../../src/engine/teachers/openai/teacher.ts";
import { serverSpec } from "../../../src/engine/teachers/serve/spec.ts";

const parsed = <T>(value: object) => teacherSchema.parse(value) as T;
const served = (serve: object, more = {}) => parsed<OpenaiTeacherConfig>({ kind: "openai", serve, ...more });
const model = "OpenGVLab/InternVL3_5-8B-HF";

describe("the tile budget", () => {
  it("is the option that each family's processor has", () => {
    expect(processorOptions(model, 6)).toEqual({ max_patches: 6 });
    expect(processorOptions("OpenGVLab/InternVL3_5-8B", 6)).toEqual({ max_dynamic_patch: 6 });
    expect(processorOptions("Qwen/Qwen3-VL-8B-Instruct", 6)).toEqual({ max_pixels: 6 * 512 * 512 });
    expect(processorOptions("Qwen/Qwen2.5-VL-7B-Instruct", 6)).toEqual({ max_pixels: 6 * 448 * 448 });
    expect(processorOptions("llava-hf/llava-1.5-7b-hf", 6)).toBeUndefined();
    expect(processorOptions(model, null)).toBeUndefined();
  });

  it("goes to vLLM in the command that LEAF starts, six tiles unless the config says otherwise", () => {
    const command = (teacher: OpenaiTeacherConfig) => serverSpec(servedBy(teacher)!, "/").command;
    const argument = (parts: string[], flag: string) => parts[parts.indexOf(flag) + 1];
    expect(argument(command(served({ model })), "--mm-processor-kwargs")).toBe('{"max_patches":6}');
    expect(argument(command(served({ model }, { maxTiles: 4 })), "--mm-processor-kwargs")).toBe(
      '{"max_patches":4}',
    );
    expect(argument(command(served({ model }, { maxTiles: null })), "--mm-processor-kwargs")).toBe("{}");
    expect(argument(command(served({ model: "org/other" })), "--mm-processor-kwargs")).toBe("{}");
    // The same that a user is asked about.
    expect(JSON.stringify(serverItem(servedBy(served({ model }))!, "/"))).toContain("max_patches");
  });

  it("is said with each request to another's server only where the config names it", () => {
    const endpoint = { kind: "openai", endpoint: "http://127.0.0.1:1/v1", model };
    expect(requestedTiles(parsed(endpoint))).toEqual({});
    expect(requestedTiles(parsed({ ...endpoint, maxTiles: 2 }))).toEqual({
      mm_processor_kwargs: { max_patches: 2 },
    });
    expect(requestedTiles(served({ model }))).toEqual({});
  });

  it("makes another teacher where it reaches the model, and none where it does not", async () => {
    const of = (teacher: OpenaiTeacherConfig) => openaiTeacherFingerprint(teacher, "/");
    const six = await of(served({ model }));
    expect(await of(served({ model }, { maxTiles: 6 }))).toBe(six);
    expect(await of(served({ model }, { maxTiles: 4 }))).not.toBe(six);
    // As it was before there was a budget: labels of that time are found again.
    const none = await of(served({ model }, { maxTiles: null }));
    expect(none).not.toBe(six);
    const other = { model, command: ["llama-server", "--port", "{port}"] };
    expect(await of(served(other))).toBe(none);
    expect(await of(served(other, { maxTiles: 4 }))).toBe(none);
    const local = (more = {}) =>
      tileBudget(parsed<TransformersTeacherConfig>({ kind: "transformers", model, ...more }));
    expect([local(), local({ maxTiles: null }), local({ model: "llava-hf/llava-1.5-7b-hf" })]).toEqual([
      6,
      null,
      null,
    ]);
  });
});
