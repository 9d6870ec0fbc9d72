import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { pythonOf } from "../../../scripts/contract/python.js";
import { parseMessage } from "../../../src/engine/pipeline/trainer.ts";
import { contractSchema, contracts } from "../../../src/protocol/schema/contract.ts";

const pythonIn = (contract: Record<string, z.ZodType>) => pythonOf("Made.", contractSchema(contract).$defs!);

test("what Python has is of the schemas as they are", () => {
  // Throws where they differ.
  execFileSync(process.execPath, ["scripts/contract.js", "--check"]);
});

test("whatever changes in a schema changes what Python has", () => {
  const { Text, Count, Checkpoint } = contracts.trainer;
  const written = pythonIn({ Text, Count, Checkpoint });
  const fields = written.split("\n").filter((line) => /^ {4}(v|epoch|path): /.test(line));
  expect(fields).toHaveLength(3);
  expect(readFileSync("src/python/leaf/contract/trainer.py", "utf8")).toContain(fields.join("\n"));
  for (const changed of [
    Checkpoint.extend({ path: z.string().nullable() }),
    Checkpoint.extend({ path: z.string().optional() }),
    Checkpoint.extend({ bytes: z.number() }),
    Checkpoint.omit({ path: true }),
    Checkpoint.strict(),
  ])
    expect(pythonIn({ Text, Count, Checkpoint: changed })).not.toBe(written);
});

test("each kind of schema as Python", () => {
  const cat = z.strictObject({ is: z.literal("cat"), livesLeft: z.int().min(0).max(9).default(9) });
  const dog = z.object({ is: z.literal("dog"), names: z.array(z.string()).length(2).optional() });
  const big = z.object({ ok: z.literal(true), size: z.number().positive().nullable() });
  const small = z.object({ ok: z.literal(false), words: z.record(z.string().max(3), z.enum(["a", "b"])) });
  const nothing = z.null().meta({ must: "is for dogs" });
  const contract = {
    Cat: cat,
    Dog: dog,
    Animal: z.discriminatedUnion("is", [cat, dog]),
    Any: z.union([big, small]),
    Big: big,
    Small: small,
    Nothing: nothing,
    Both: z.object({ pair: z.tuple([cat, z.literal([1, 5])]), none: nothing.default(null) }),
  };
  expect(pythonIn(contract)).toBe(`"""Made."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from leaf.contract import Loose, Strict


class Cat(Strict, frozen=True, kw_only=True, tag_field="is", tag="cat"):
    lives_left: Annotated[int, Meta(ge=0, le=9)] = 9


class Dog(Loose, frozen=True, kw_only=True, tag_field="is", tag="dog"):
    names: UnsetType | Annotated[list[str], Meta(min_length=2, max_length=2)] = UNSET


Animal = Cat | Dog


class Any(Loose, frozen=True):
    """One of those below."""


class Big(Any, frozen=True, kw_only=True):
    ok: bool
    size: Annotated[float, Meta(gt=0)] | None


class Small(Any, frozen=True, kw_only=True):
    ok: bool
    words: dict[Annotated[str, Meta(max_length=3)], Literal["a", "b"]]


Nothing = Annotated[None, Meta(extra={"must": "is for dogs"})]


class Both(Loose, frozen=True, kw_only=True):
    pair: tuple[Cat, Literal[1, 5]]
    none: Nothing = None
`);
  expect(() => pythonIn({ Odd: z.object({ inner: z.object({}) }) })).toThrow("cannot be written");
});

test("what Python does not know yet is null, and the message still comes", () => {
  const progress = { v: 1, type: "progress", phase: "load", epoch: 0, epochs: 3, step: 0, steps: 0 };
  const metrics = { v: 1, type: "metrics", epoch: 1, step: 2, loss: 0.5, lr: 0.1, val: null, imagesPerS: 9 };
  for (const message of [
    { ...progress, imagesPerS: null },
    { ...metrics, parts: { point: 0.5, pair: null } },
  ])
    expect(parseMessage(JSON.stringify(message))).toEqual(message);
});
