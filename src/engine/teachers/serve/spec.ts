import path from "node:path";
import type { ServeConfig } from "../../config/teacher.ts";
import { keyOf } from "../../keys.ts";

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
 * The key is a digest, so values of the environment count without being told.
 */
export function serverSpec(serve: ServeConfig, cwd: string): ServerSpec {
  const { model, port, env, startMinutes, idleMinutes } = serve;
  const command = [...serve.command, ...serve.args].map((part) => part.replaceAll("{model}", model));
  const key = keyOf({ v: 1, command, cwd: path.resolve(cwd), port, env });
  return { key, model, command, cwd: path.resolve(cwd), port, env, startMinutes, idleMinutes };
}

/** `llama-server` of `/opt/llama/llama-server`. */
export function programName(spec: ServerSpec): string {
  return spec.command[0]!.split(/[\\/]/).at(-1)!;
}

/** The whole command line for a port. */
export function filledCommand(spec: ServerSpec, port: number): [program: string, ...args: string[]] {
  const [program, ...args] = spec.command.map((part) => part.replaceAll("{port}", String(port)));
  return [program!, ...args];
}
