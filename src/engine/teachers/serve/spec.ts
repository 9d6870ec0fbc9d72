import path from "node:path";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { canonicalJson, keyOf } from "../../base/keys.ts";
import { redactConfig } from "../../base/redact.ts";
import { saltedDigest } from "../../base/salt.ts";
import type { ServeConfig } from "../../config/teacher.ts";

/** What a server is started from. Arguments and environment may hold secrets: it is told to the supervisor, never written down. */
export interface ServerSpec {
  key: string;
  model: string;
  /** Program and arguments, {port} not filled in yet. */
  command: string[];
  /** Where it runs; relative models and programs are found from here. */
  cwd: string;
  /** Null: a free one. */
  port: number | null;
  /** What the config adds to the environment. */
  env: Record<string, string>;
  startMinutes: number;
  idleMinutes: number;
}

/**
 * Equal keys share a server: all that changes what it computes or where it runs counts, how long it may take does not.
 * The key is the name of a folder: secrets count in it by a digest that needs the user's salt, so that no short one can be found by trying.
 */
export function serverSpec(serve: ServeConfig, cwd: string): ServerSpec {
  const { model, port, env, startMinutes, idleMinutes } = serve;
  const command = [...serve.command, ...serve.args].map((part) => part.replaceAll("{model}", model));
  const told = redactConfig({ command, env });
  const values = variablesOf([...command, ...Object.values(env)]).map((name) => process.env[name] ?? null);
  const isTold = values.length === 0 && canonicalJson(told) === canonicalJson({ command, env });
  const secrets = isTold ? {} : { secrets: saltedDigest(canonicalJson({ command, env, values })) };
  const key = keyOf({ v: 1, ...told, cwd: path.resolve(cwd), port, ...secrets });
  return { key, model, command, cwd: path.resolve(cwd), port, env, startMinutes, idleMinutes };
}

/** `llama-server` of `/opt/llama/llama-server`. */
export function programName(spec: ServerSpec): string {
  return spec.command[0]!.split(/[\\/]/).at(-1)!;
}

/** The whole command line for a port. */
export function filledCommand(
  spec: ServerSpec,
  port: number,
  env: NodeJS.ProcessEnv = process.env,
): [program: string, ...args: string[]] {
  const [program, ...args] = spec.command.map((part) => filled(part.replaceAll("{port}", String(port)), env));
  return [program!, ...args];
}

/** What the config adds to the environment, its placeholders filled in. */
export function filledVariables(
  spec: ServerSpec,
  env: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  return Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, filled(value, env)]));
}

const placeholder = /\{env:(\w+)\}/g;

/** `{env:NAME}`: the value of a variable, so that a key stands in no config. */
function filled(text: string, env: NodeJS.ProcessEnv): string {
  return text.replace(placeholder, (_, name: string) => env[name] ?? "");
}

/** Names of the variables that stand in texts, in their order. */
function variablesOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(placeholder)].map(([, name]) => name!));
}

/** Throws LeafError `environment` for a variable that the config names and that is not set. */
export function requireVariables(spec: ServerSpec, env: NodeJS.ProcessEnv = process.env): void {
  const missing = variablesOf([...spec.command, ...Object.values(spec.env)]).find((name) => !env[name]);
  if (missing === undefined) return;
  throw new LeafError(
    "environment",
    say`The environment variable ${missing} that \`teacher.serve\` names is not set.`,
    {
      remedy: say`Set ${missing} where LEAF is started.`,
    },
  );
}

/** The values that the placeholders stand for. */
export function placeholderValues(spec: ServerSpec, env: NodeJS.ProcessEnv = process.env): string[] {
  return variablesOf([...spec.command, ...Object.values(spec.env)]).flatMap((name) => env[name] ?? []);
}
