import type { JobKind } from "./jobs.ts";
import type { Text } from "./text.ts";

/** Something a config names that runs, gets a secret, gets images without encryption, lets other machines in, or is large to fetch: only with the user's word. */
export interface ConsentItem {
  kind: "interpreter" | "server" | "key" | "plainHttp" | "download" | "rendezvous";
  /** Changes with everything that would run; a word once given holds for this content only. */
  digest: string;
  /** One line: "Run the Python interpreter ./tool.sh". Never holds a secret. */
  title: string;
  /** The title as data. */
  words: Text;
  /** What exactly: the command line, its variables. */
  details: string[];
  /** The details as data. */
  detailWords: Text[];
  /** Keys of the config that name it, from its top. */
  path: (string | number)[];
  /** Path of the file that names it, and the line (1-based) where it is known. */
  file: string;
  line: number | null;
}

/** `managed`: not this interpreter, but the environment that LEAF set up. */
export type ConsentDecision = "allow" | "managed";

/** What is about to be started. */
export type ConsentWork = JobKind | "dryRun" | "probe";

export interface ConsentView {
  /** What the user has not decided yet; empty: go on. */
  items: ConsentItem[];
  /** Endpoints that a key kept in the editor would be for: origins, or `server` for a server of LEAF's own. */
  keyOrigins: string[];
}
