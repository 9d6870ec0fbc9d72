import type { LeafErrorCode } from "../engine/base/errors.ts";

export const ok = 0;

/** What the shell is told; docs/command-line.md has the table. */
export const exitCodes: Record<LeafErrorCode, number> = {
  usage: 2,
  config: 2,
  consent: 2,
  input: 1,
  environment: 1,
  failed: 1,
  internal: 1,
  cancelled: 130,
};
