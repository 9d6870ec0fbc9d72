import { stat } from "node:fs/promises";
import path from "node:path";
import fastGlob from "fast-glob";
import picomatch from "picomatch";
import { say } from "../../../words/text.ts";
import { LeafError } from "../../base/errors.ts";
import { isMissing } from "../../base/files.ts";
import { globProblem } from "../../base/globLimits.ts";
import { toPosix } from "../../base/posixPath.ts";

/** Where images may lie: below a folder, by the names of the folders on the way. */
export interface Rule {
  /** Absolute. */
  folder: string;
  /** What the first folders below must be called. */
  steps: RegExp[];
  /** Whether images may lie any number of folders below the steps, or just there. */
  deep: boolean;
  /** Which files, by their path relative to the root; null: all. */
  files: RegExp | ReadonlySet<string> | null;
  /** Whether it holds for a file wherever below the folder it lies. */
  everywhere: boolean;
}

/** `images:` of a config, ready to be asked. Folders are absolute; files are relative to the root, with forward slashes. */
export interface ImagePatterns {
  root: string;
  /** Folders where the rules begin. */
  bases: readonly string[];
  isBase(folder: string): boolean;
  /** Whether images may lie in a folder or below it, or it is on the way to a base. */
  leadsToImages(folder: string): boolean;
  /** Whether a folder is a base, or on the way to one. */
  leadsToBase(folder: string): boolean;
  /** The rules for what lies in a folder (`here`) and in it or below it (`below`); none for one that is left out. */
  rulesOf(folder: string): { here: Rule[]; below: Rule[] };
  /** Whether an image file is the dataset's, by the rules of the folder that it lies in. */
  holds(file: string, here: readonly Rule[]): boolean;
}

const options = { dot: false, nocase: true, posix: true, strictSlashes: false };

/**
 * Reads `images` of a config: folders, files and globs; `!` leaves out. Folders and files that begin with a dot, and
 * node_modules, are passed over below a named folder. With `mustExist` a named folder that does not exist is a LeafError
 * `config`, as are globs that stand for too many patterns.
 */
export async function imagePatterns(
  root: string,
  images: string | readonly string[],
  { mustExist = false } = {},
): Promise<ImagePatterns> {
  const problem = globProblem(images);
  if (problem) throw new LeafError("config", say`\`images\`: ${problem.message}.`, { key: ["images"] });
  const rules = new Map<string, Rule[]>();
  const listed = new Map<string, Set<string>>();
  const left = { out: new Set<string>(), globs: [] as RegExp[] };
  const relativeOf = (absolute: string) => toPosix(path.relative(root, absolute));

  for (const given of [images].flat()) {
    const isOut = given.startsWith("!");
    const entry = isOut ? given.slice(1) : given;
    const absolute = path.resolve(root, entry);
    const kind = await kindOf(absolute);
    const isGlob = kind === undefined && fastGlob.isDynamicPattern(entry);
    if (isOut) {
      if (isGlob) left.globs.push(...globsOf(root, entry).map(({ files }) => files as RegExp));
      else left.out.add(relativeOf(absolute).toLowerCase());
    } else if (isGlob) {
      for (const rule of globsOf(root, entry)) addTo(rules, rule.folder, rule);
    } else if (kind === "file") {
      const names = listed.get(path.dirname(absolute)) ?? new Set();
      listed.set(path.dirname(absolute), names.add(relativeOf(absolute)));
    } else {
      if (kind === undefined && mustExist) {
        throw new LeafError("config", say`\`images\`: ${entry} does not exist.`, {
          file: absolute,
          key: ["images"],
          remedy: say`Name a folder or a glob relative to the config file.`,
        });
      }
      addTo(rules, absolute, { folder: absolute, steps: [], deep: true, files: null, everywhere: true });
    }
  }
  for (const [folder, files] of listed)
    addTo(rules, folder, { folder, steps: [], deep: false, files, everywhere: false });

  const bases = [...rules.keys()];
  const onTheWay = new Set(bases.flatMap((base) => [...upTo(base)]));
  const isLeftOut = (relative: string) =>
    (left.out.size > 0 && left.out.has(relative.toLowerCase())) ||
    left.globs.some((glob) => glob.test(relative));
  const isFolderLeftOut = (folder: string) => {
    if (left.out.size === 0 && left.globs.length === 0) return false;
    for (const one of upTo(folder)) {
      const relative = relativeOf(one);
      if (isLeftOut(relative)) return true;
      if (relative === "") return false;
    }
    return false;
  };

  function rulesOf(folder: string): { here: Rule[]; below: Rule[] } {
    const here: Rule[] = [];
    const below: Rule[] = [];
    const names: string[] = [];
    for (const base of upTo(folder)) {
      for (const rule of rules.get(base) ?? []) {
        if (!leadsOn(rule, names)) continue;
        below.push(rule);
        if (names.length >= rule.steps.length) here.push(rule);
      }
      const name = path.basename(base);
      if (isPassedOver(name)) break;
      names.unshift(name);
    }
    return below.length > 0 && isFolderLeftOut(folder) ? { here: [], below: [] } : { here, below };
  }

  return {
    root,
    bases,
    isBase: (folder) => rules.has(folder),
    leadsToBase: (folder) => onTheWay.has(folder),
    leadsToImages: (folder) => onTheWay.has(folder) || rulesOf(folder).below.length > 0,
    rulesOf,
    holds: (file, here) =>
      here.some(
        ({ files }) => files === null || (files instanceof RegExp ? files.test(file) : files.has(file)),
      ) && !isLeftOut(file),
  };
}

async function kindOf(absolute: string): Promise<"folder" | "file" | undefined> {
  try {
    const stats = await stat(absolute);
    return stats.isDirectory() ? "folder" : stats.isFile() ? "file" : undefined;
  } catch (error) {
    // What may not be looked at is taken for a folder, which is then told as unreadable.
    return isMissing(error) || /[*?{}[\]()!]/.test(absolute) ? undefined : "folder";
  }
}

/** A glob as rules, one for each that its braces stand for. */
function globsOf(root: string, entry: string): Rule[] {
  const tasks = fastGlob.generateTasks(entry.replace(/^\.\//, ""), { cwd: root });
  return tasks.flatMap(({ patterns }) => patterns.map((pattern) => globRule(root, pattern)));
}

function globRule(root: string, pattern: string): Rule {
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[\](){}!+@|]/.test(part.replace(/\\./g, "")));
  // The last is a file's name, wild or not.
  const before = wild < 0 ? parts.length - 1 : Math.min(wild, parts.length - 1);
  const named = parts.slice(0, before).map((part) => part.replace(/\\(.)/g, "$1"));
  const folder = path.resolve(root, before === 1 && named[0] === "" ? "/" : named.join("/"));
  const relative = toPosix(path.relative(root, folder));
  const rest = parts.slice(before);
  const whole = relative === "" ? rest : [fastGlob.escapePath(relative), ...rest];
  // Alternatives in parentheses, and sets, may hold slashes of their own.
  const cannotTell = /[(]|\[[^\]]*\//.test(pattern);
  const end = cannotTell ? 0 : rest.findIndex((part) => part.includes("**"));
  const deep = end >= 0;
  return {
    folder,
    steps: rest.slice(0, deep ? end : -1).map((part) => picomatch.makeRe(part, options)),
    deep,
    files: picomatch.makeRe(whole.join("/"), options),
    everywhere: !cannotTell && rest.length <= 2 && rest[0] === "**",
  };
}

function leadsOn({ steps, deep }: Rule, names: readonly string[]): boolean {
  if (names.length > steps.length && !deep) return false;
  return steps.every((step, i) => i >= names.length || step.test(names[i]!));
}

/** A folder and all above it, itself first. */
export function* upTo(folder: string): Generator<string> {
  for (let at = folder; ; at = path.dirname(at)) {
    yield at;
    if (path.dirname(at) === at) return;
  }
}

/** What a person does not take for their images: folders and files of programs. */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

function addTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** Whether a path is a folder or lies in it. */
export function isAtOrIn(file: string, folder: string): boolean {
  return file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
