import * as z from "zod";
import { clusterContract } from "./cluster.ts";
import { headContract } from "./head.ts";
import { teacherContract } from "./teacher.ts";
import { trainerContract } from "./trainer.ts";

/** What the engine and Python say to each other: a file of each name lies in src/python/leaf/contract. */
export const contracts = {
  trainer: trainerContract,
  teacher: teacherContract,
  head: headContract,
  cluster: clusterContract,
};

/** A contract as JSON Schema. What may be left out is what its writer may leave out. */
export function contractSchema(contract: Record<string, z.ZodType>): z.core.JSONSchema.BaseSchema {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(contract)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: "input", uri: (id) => `#/$defs/${id}` });
  const defs = Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]);
  return { $schema: "https://json-schema.org/draft/2020-12/schema", $defs: Object.fromEntries(defs) };
}
