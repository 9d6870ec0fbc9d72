import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import type { ConsentDecision, ConsentItem } from "../../protocol/consent.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { writeJson } from "../base/files.ts";
import { leafHome } from "../base/home.ts";
import { waitForLock } from "../base/processLock.ts";

const storeSchema = z.object({
  v: z.literal(1),
  decisions: z.record(
    z.string(),
    z.object({
      decision: z.enum(["allow", "managed"]),
      /** For people who read the file. */
      what: z.string(),
      from: z.string(),
      at: z.string(),
    }),
  ),
});
type Store = z.infer<typeof storeSchema>;

/** What the user has approved, on this machine, in the user's own folder: no project can write it. */
export function approvalsFile(): string {
  return path.join(leafHome(), "approved.json");
}

/** A damaged file approves nothing. */
function read(): Store {
  const file = approvalsFile();
  try {
    if (existsSync(file)) return storeSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // Asked again.
  }
  return { v: 1, decisions: {} };
}

/** The user's word on something, by its digest; undefined: not asked yet. */
export function decisionOn(digest: string): ConsentDecision | undefined {
  const { decisions } = read();
  return Object.hasOwn(decisions, digest) ? decisions[digest]!.decision : undefined;
}

/** Two windows may ask at the same moment: neither answer is lost. */
async function changing<T>(change: (store: Store) => T): Promise<T> {
  const lock = await waitForLock(`${approvalsFile()}.lock`, { waitMs: 10_000 });
  try {
    const store = read();
    const result = change(store);
    await writeJson(approvalsFile(), store);
    return result;
  } finally {
    lock?.release();
  }
}

export function remember(items: readonly ConsentItem[], decision: ConsentDecision): Promise<void> {
  return changing(({ decisions }) => {
    for (const { kind, digest, title, details, file } of items)
      decisions[digest] = {
        // Only of an interpreter there is another.
        decision: kind === "interpreter" ? decision : "allow",
        what: [title, ...details].join("; "),
        from: file,
        at: new Date().toISOString(),
      };
  });
}

/** Takes the user's word back. Returns how many there were. */
export function forget(items: readonly ConsentItem[]): Promise<number> {
  return changing(({ decisions }) => {
    const known = items.filter(({ digest }) => Object.hasOwn(decisions, digest));
    for (const { digest } of known) delete decisions[digest];
    return known.length;
  });
}

/** For machines without anybody to ask, such as CI: programs that a config names may run. Keys and endpoints are not meant. */
export function allProgramsAllowed(): boolean {
  return process.env.LEAF_ALLOW_PROGRAMS === "1";
}

/** Whether the user has approved it. */
export function isApproved(item: Pick<ConsentItem, "kind" | "digest">): boolean {
  const isProgram = item.kind === "interpreter" || item.kind === "server";
  return (isProgram && allProgramsAllowed()) || decisionOn(item.digest) !== undefined;
}

/** Throws LeafError `consent` for the first item that the user has not approved. */
export function requireApproved(items: readonly ConsentItem[]): void {
  const [open, ...rest] = items.filter((item) => !isApproved(item));
  if (open) throw notApproved(open, rest.length);
}

export function notApproved({ words: title, details, file, line }: ConsentItem, more = 0): LeafError {
  const where = file ? ` (${path.basename(file)}${line === null ? "" : `:${line}`})` : "";
  const what = details.length > 0 ? `: ${details.join("; ")}` : "";
  return new LeafError(
    "consent",
    say`You have not approved this yet${where}: ${title}${what}${more > 0 ? say` (and ${more} more)` : ""}.`,
    {
      file: file || undefined,
      line: line ?? undefined,
      remedy: say`Look at it with \`leaf trust --list\`, then approve it with \`leaf trust\` (\`leaf trust --yes\` where nobody can be asked).`,
    },
  );
}
