import path from "node:path";
import * as z from "zod";
import { writeJson } from "../../base/files.ts";
import { readJsonAs, readJsonNow } from "../../base/json.ts";
import { canonicalJson, keyOf } from "../../base/keys.ts";
import type { OpenaiTeacherConfig } from "../../config/teacher.ts";
import { type Capabilities, capabilitiesSchema, type Manner, mannerOf } from "./capabilities.ts";

const kept = z.strictObject({ v: z.literal(1), found: capabilitiesSchema });

/** What was found out about the servers of a config, kept in `.leaf/teachers`, so that another run need not ask and knows who judges. */
export interface Found {
  read(url: string): Promise<Capabilities | undefined>;
  write(url: string, found: Capabilities): Promise<void>;
  /** How labels come about, by the first server that is known; undefined before there is one. */
  manner(): Manner | undefined;
}

/** `who`: the teacher's identity as far as the config alone tells it. */
export function foundIn(root: string, config: OpenaiTeacherConfig, who: string): Found {
  const fileOf = (at: unknown) =>
    path.join(root, ".leaf", "teachers", `${keyOf({ who, at, request: config.request ?? null })}.json`);
  // A server of LEAF's own has another port each time.
  const { model, command, args, env } = config.serve ?? {};
  const at = (url: string) => (config.serve ? { model, command, args, env } : url);
  return {
    read: async (url) => (await readJsonAs(fileOf(at(url)), kept))?.found,
    write: (url, found) => writeJson(fileOf(at(url)), { v: 1, found }),
    manner() {
      for (const url of config.serve ? [""] : [config.endpoint ?? []].flat()) {
        const known = readJsonNow(fileOf(at(url)), kept);
        if (known) return mannerOf(known.found);
      }
      return undefined;
    },
  };
}

export function sameManner(a: Manner, b: Manner): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
