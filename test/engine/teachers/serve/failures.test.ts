import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import {
  endedBeforeReady,
  recognise,
  type ServerEnd,
} from "../../../../src/engine/teachers/serve/failures.ts";

// Logs of real servers, by what went wrong; the first line of each says where it comes from.
const folder = path.resolve("test/fixtures/server-logs");
const logs = readdirSync(folder).flatMap((kind) =>
  readdirSync(path.join(folder, kind)).map((name) => ({ kind, name, file: path.join(folder, kind, name) })),
);

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").slice(1);
}

function ended(lines: string[], over: Partial<ServerEnd> = {}): ServerEnd {
  const base = {
    model: "some/model",
    port: 8000,
    log: "/a/server.log",
    exitCode: 1,
    signal: null,
  };
  return { ...base, lines, ...over };
}

test.each(logs)("$name: $kind", ({ kind, file }) => {
  expect(recognise(linesOf(file))?.kind).toBe(kind === "healthy" ? undefined : kind);
});

test("a message names what was found in the log, and the remedy its file", () => {
  const of = (kind: string, name: string) =>
    endedBeforeReady(ended(linesOf(path.join(folder, kind, `${name}.log`))));
  expect(of("unsupportedArchitecture", "vllm-architecture")).toEqual({
    words: expect.objectContaining({ message: expect.anything() }),
    code: "environment",
    message: "The server does not know the architecture of some/model: ['FooForCausalLM'].",
    remedy: "Update the server, or choose a model that it supports. Its log: /a/server.log",
    file: "/a/server.log",
  });
  expect(of("unsupportedArchitecture", "vllm-model-type").message).toMatch(/: footype\.$/);
  expect(of("badArgument", "vllm-argument")).toMatchObject({
    code: "config",
    message: expect.stringMatching(/: unrecognized arguments: --foo\.$/),
  });
  expect(of("notInstalled", "python").remedy).toContain("pip install vllm");
  expect(of("gatedModel", "hub-401").remedy).toContain("HF_TOKEN");
  expect(of("portTaken", "llama-port").message).toContain("8000");
});

test("a server that the system killed", () => {
  for (const over of [{ signal: "SIGKILL", exitCode: null } as const, { exitCode: 137 }])
    expect(endedBeforeReady(ended(["loading"], over)).message).toMatch(
      /The system killed the teacher's server .* because main memory ran out/,
    );
  // A reason in the log is worth more.
  const lines = ["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB"];
  expect(endedBeforeReady(ended(lines, { exitCode: 137 })).message).toMatch(/accelerator/);
});

test("what nobody knows is told in the server's words", () => {
  const lines = ["reading", "  FancyError: the flux is   inverted.", "cleaning up"];
  expect(endedBeforeReady(ended(lines, { exitCode: 3 })).message).toBe(
    "The teacher's server ended with exit code 3 before it was ready: FancyError: the flux is inverted.",
  );
  expect(endedBeforeReady(ended([], { exitCode: null, signal: "SIGSEGV" })).message).toBe(
    "The teacher's server was ended by SIGSEGV before it was ready.",
  );
});
