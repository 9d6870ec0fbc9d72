import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import type { z } from "zod";
import { pythonSource, resolveInterpreter, trainerEnvironment } from "../../src/engine/python/environment.ts";
import { contractSchema, contracts } from "../../src/protocol/schema/contract.ts";

// Random documents of the contract, and such with one fault, before both of its readers: zod here, and in one Python process that
// answers line by line msgspec's types and the JSON Schema.

vi.setConfig({ testTimeout: 120_000 });

type Schema = z.core.JSONSchema.BaseSchema;
interface Verdict {
  python: boolean;
  schema: boolean;
  words: string | null;
}

const script = path.join(pythonSource(), "tests", "contracts.py");
const python = spawn(resolveInterpreter(undefined, "."), [script], {
  env: trainerEnvironment(),
  stdio: ["pipe", "pipe", "inherit"],
});
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
afterAll(async () => {
  python.stdin.end();
  if (python.exitCode === null) await once(python, "exit");
});

/** How long a text is, in the words of fast-check. */
function lengthOf({ minLength, maxLength }: Schema) {
  return { minLength, maxLength };
}

async function verdict(contract: string, name: string, value: unknown): Promise<Verdict> {
  python.stdin.write(`${JSON.stringify({ contract, name, value })}\n`);
  const { value: line, done } = await lines.next();
  if (done) throw new Error("Python has ended.");
  return JSON.parse(line);
}

function documents(schema: Schema, defs: Record<string, Schema>): fc.Arbitrary<unknown> {
  const of = (inner: unknown) => documents(inner as Schema, defs);
  const { $ref, const: only, enum: some, type, minimum: min, maximum: max } = schema;
  if ($ref) {
    const { $ref: _, ...rest } = schema;
    return of({ ...defs[$ref.slice("#/$defs/".length)], ...rest });
  }
  if (only !== undefined) return fc.constant(only);
  if (some) return fc.constantFrom(...some);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map(of));
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => of({ type: one })));
  switch (type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min, max });
    case "number": {
      const minExcluded = schema.exclusiveMinimum !== undefined;
      const least = (minExcluded ? schema.exclusiveMinimum : min) as number | undefined;
      return fc.double({ min: least, max, minExcluded, noNaN: true, noDefaultInfinity: true });
    }
    case "string":
      return schema.pattern
        ? fc.string({ minLength: 1 }).filter((text) => !text.includes("\0"))
        : fc.string(lengthOf(schema));
    case "array": {
      if (schema.prefixItems) return fc.tuple(...schema.prefixItems.map(of));
      const { minItems: minLength, maxItems: maxLength = 6 } = schema;
      return fc.array(of(schema.items), { minLength, maxLength });
    }
    case "object": {
      if (!schema.properties) {
        const names = (schema.propertyNames ?? {}) as Schema;
        const { minLength } = names.$ref ? defs[names.$ref.slice("#/$defs/".length)]! : names;
        return fc.dictionary(fc.string({ minLength, maxLength: 9 }), of(schema.additionalProperties));
      }
      const fields = Object.entries(schema.properties).map(([key, inner]) => [key, of(inner)]);
      return fc.record<Record<string, unknown>>(Object.fromEntries(fields), {
        requiredKeys: schema.required,
      });
    }
  }
  throw new Error(`No documents of ${JSON.stringify(schema)}`);
}

const wrong = fc.oneof(
  fc.constantFrom(null, true, false, "", "\0", "a", [], ["a"], {}, { a: 1 }),
  fc.constantFrom(-1, 0, 0.5, 1, 2, 6, 9e15, 2 ** 53, 1e300, -1e-9),
);
type Fault = { at: number; what: "replace" | "remove" | "add"; value: unknown };
const faults: fc.Arbitrary<Fault> = fc.record({
  at: fc.nat(),
  what: fc.constantFrom("replace", "remove", "add"),
  value: wrong,
});

/** A copy with one fault somewhere inside, or instead of the whole. */
function spoilt(document: unknown, { at, what, value }: Fault): unknown {
  const copy = structuredClone(document);
  const places: [holder: Record<string, unknown>, key: string][] = [[{ it: copy }, "it"]];
  for (const [holder, key] of places) {
    const inner = holder[key];
    if (inner !== null && typeof inner === "object")
      for (const one of Object.keys(inner)) places.push([inner as Record<string, unknown>, one]);
  }
  const [root] = places[0]!;
  const [holder, key] = places[at % places.length]!;
  const inner = holder[key];
  if (what === "remove" && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (what === "remove" && holder !== root) delete holder[key];
  else if (what === "add" && Array.isArray(inner)) inner.push(value);
  else if (what === "add" && inner !== null && typeof inner === "object")
    Object.assign(inner, { more: value });
  else holder[key] = value;
  return root.it;
}

const { trainer, teacher } = contracts;
describe.each([
  ["trainer", "TrainerJob", trainer.TrainerJob],
  ["trainer", "TrainerMessage", trainer.TrainerMessage],
  ["teacher", "TeacherRequest", teacher.TeacherRequest],
  ["teacher", "TeacherMessage", teacher.TeacherMessage],
] as const)("%s: %s", (contract, name, schema) => {
  const { $defs = {} } = contractSchema(contracts[contract]);
  const document = documents($defs[name]!, $defs).map((value) => JSON.parse(JSON.stringify(value)));

  it("is taken by both", async () => {
    await fc.assert(
      fc.asyncProperty(document, async (value) => {
        expect(schema.safeParse(value).success).toBe(true);
        expect(await verdict(contract, name, value)).toEqual({ python: true, schema: true, words: null });
      }),
      { numRuns: 300 },
    );
  });

  it("with a fault is refused by both, or by none", async () => {
    const count = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(document, faults, async (value, fault) => {
        const given = spoilt(value, fault);
        const taken = schema.safeParse(given).success;
        count[taken ? "taken" : "refused"]++;
        const said = await verdict(contract, name, given);
        expect(said.schema).toBe(taken);
        // Of the teacher's answers, which no word tells apart, Python reads none: the JSON Schema speaks for it.
        const answer = (given as { type?: unknown } | null)?.type === "answer";
        if (!answer || taken) expect(said.python).toBe(taken);
        if (!said.python) expect(said.words).toMatch(/^It: \S+ (must be|is) [^\n]+\.$/);
      }),
      { numRuns: 1000 },
    );
    expect(count.taken).toBeGreaterThan(20);
    expect(count.refused).toBeGreaterThan(400);
  });
});
