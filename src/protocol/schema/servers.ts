import * as z from "zod";
import type { ServerState } from "../servers.ts";
import { count, key, processId, text, time } from "./common.ts";
import { failure } from "./jobs.ts";

/** A former version wrote text there, which names no process any more. */
const identity = z
  .union([
    z.looseObject({ pid: processId, began: text, space: text, host: text }),
    text.transform(() => null),
  ])
  .nullable();

/** `server.json`. */
export const serverState = z.looseObject({
  v: z.literal(1),
  key,
  attempt: z.string().regex(/^[\w-]{1,80}$/, "must be a word"),
  phase: z.enum(["starting", "ready", "restarting", "stopping", "stopped", "failed"]),
  model: text,
  program: text,
  /** A server that LEAF started is on this machine. */
  endpoint: z
    .string()
    .regex(/^$|^http:\/\/(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}(\/|$)/, "must be a local address"),
  port: z.int().min(0).max(65_535),
  pid: processId.nullable(),
  identity,
  supervisor: processId,
  supervisorIdentity: identity,
  started: time,
  ready: time.nullable(),
  idleSince: time.nullable(),
  idleMinutes: z.number().min(0),
  restarts: count,
  note: text.nullable(),
  failure: failure.nullable(),
}) satisfies z.ZodType<ServerState>;

/** A heartbeat of a run that uses the server. */
export const serverUser = z.looseObject({
  pid: processId,
  startMinutes: z.number().min(0),
  idleMinutes: z.number().min(0),
});

/** What a supervisor is told on stdin. */
export const serverSpec = z.looseObject({
  key,
  model: text,
  command: z.array(z.string()).min(1),
  cwd: text,
  port: z.int().min(0).max(65_535).nullable(),
  env: z.record(z.string(), z.string()),
  startMinutes: z.number(),
  idleMinutes: z.number(),
});
