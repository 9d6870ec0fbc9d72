import path from "node:path";
import type { ItemFailure } from "../../protocol/failures.ts";
import type { ProgressSink } from "../../protocol/progress.ts";
import type { Text, TextValue } from "../../protocol/text.ts";
import { kept } from "../../words/kept.ts";
import { counted, inEnglish, say } from "../../words/text.ts";
import { digestLines } from "../base/keys.ts";
import { during } from "../base/unexpected.ts";
import { defaultSimilar } from "../config/data.ts";
import { ensureLeafDir, type Project } from "../config/project.ts";
import { toldFailures } from "../failures/list.ts";
import { noEndMarker } from "../images/ending.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { furtherTargets, mosOfTarget } from "../mos/complete.ts";
import { columnsOf } from "../mos/detect.ts";
import { factsOf } from "../mos/formats.ts";
import type { Target } from "../mos/targets.ts";
import { useCache } from "./cacheUse.ts";
import { type DatasetSummary, type ImageIndex, indexDataset, openIndex, summariseIndex } from "./dataset.ts";
import { type Mos, type MosProblem, readMos } from "./readMos.ts";
import { groupName, type Split, type SplitName, splitImages } from "./split.ts";
import { findTwins, type Twins } from "./twins/twins.ts";

/** A further target's scores. */
export interface TargetScores extends Target {
  /** On its own range, by hash. */
  mos: ReadonlyMap<string, number>;
  /** As of the main one. */
  raw?: Mos["raw"];
}

/** The dataset as the stages see it: which images there are, their split, and their MOS. */
export interface Catalog {
  summary: DatasetSummary;
  /** Hashes of all usable images, sorted; the order of everything that is seeded. */
  hashes: string[];
  /** MOS as in the file, by hash. */
  mos: ReadonlyMap<string, number>;
  /** Standard deviations of the opinions, by hash, where the file has them. */
  mosStd: ReadonlyMap<string, number>;
  /** How many opinions the MOS is the mean of, by hash, where known. */
  mosCount: ReadonlyMap<string, number>;
  /** The single ratings by hash, where the file holds such, and how it holds them. */
  raw?: Mos["raw"];
  /** How the columns of the MOS file are read; absent without one. */
  mosShape?: Mos["shape"];
  /** The targets beside the main one, whose scores are above; absent where there are none. */
  targets?: TargetScores[];
  counts: Record<SplitName, number>;
  /** Groups that no split tears apart; images without a group count one each. */
  groups: number;
  /** Pairs of images that are one picture, as alike as `split.similar` asks; absent where none were looked for. */
  twins?: Twins[];
  /** Which of them the drawn split keeps together. */
  keptTogether?: Split["twins"];
  /** Digest of which image is in which split. */
  splitDigest: string;
  splitOf(hash: string): SplitName;
  /** The group that no split tears apart; an image without one is its own. */
  groupOf(hash: string): string;
  /** Absolute path. */
  pathOf(hash: string): string;
  /** Relative to the config's folder, with forward slashes. */
  relativePathOf(hash: string): string;
  digestOf(hashes: Iterable<string>): string;
  /** The group's name by `split.groupBy` or of its twins; undefined for an image that has none. */
  groupNameOf(hash: string): string | undefined;
  /** What is wrong with files, scores and splits: a sentence each, the worst first. */
  problems: string[];
  /** Rows of the MOS file that were of no use, by what is wrong with them. */
  mosProblems: Mos["problems"];
  /** The first of them as data. */
  firstMosProblem?: Text;
  mosProblemCount: number;
  index: ImageIndex;
  close(): void;
}

export interface CatalogOptions {
  signal?: AbortSignal;
  onProgress?: ProgressSink;
  /** One sentence each: images without a score, unreadable files and the like. */
  onWarning?: (message: Text) => void;
  /** Files and rows that cannot be read have been told by an earlier stage. */
  filesTold?: boolean;
  /** Take the index of images as it is: the caller has brought it up to date. */
  trustIndex?: boolean;
  /** Look for twins even where the split does not need them. */
  findTwins?: boolean;
  /** Every file and row that is of no use, not only the first ten. */
  onFailure?: (failure: ItemFailure) => void;
}

/** Brings the index up to date and joins images, MOS and split. Unreadable images are told once as warnings. */
export async function openCatalog(project: Project, options: CatalogOptions = {}): Promise<Catalog> {
  await ensureLeafDir(project);
  // The index is part of the cache, which stays as long as the catalog is open.
  const inUse = await useCache(project, options.signal);
  try {
    const catalog = await readCatalog(project, options);
    const close = () => {
      catalog.close();
      inUse.release();
    };
    return { ...catalog, close };
  } catch (error) {
    inUse.release();
    throw error;
  }
}

async function readCatalog(project: Project, options: CatalogOptions): Promise<Catalog> {
  const { config, root, indexFile } = project;
  const { signal, onProgress, onWarning } = options;
  const summary = options.trustIndex
    ? summariseIndex(indexFile)
    : await indexDataset({
        root,
        images: config.images,
        indexFile,
        maxPixels: maxPixelsOf(config),
        signal,
        onProgress,
      });
  const index = openIndex(indexFile);
  try {
    const problems: Text[] = [];
    const tell = (
      lines: Iterable<[where: string, reason: string]>,
      total: number,
      more: (left: TextValue) => Text,
    ) => {
      let shown = 0;
      for (const [where, reason] of lines) {
        if (shown++ === toldFailures) break;
        problems.push(say`${where}: ${kept(reason)}`);
      }
      if (total > toldFailures) problems.push(more(counted(total - toldFailures)));
    };
    tell(
      map(index.failed(), (file) => [file.path, file.error]),
      summary.failed,
      (left) => say`… and ${left} more files that cannot be read: \`leaf check\` lists them all`,
    );
    const unended = [...index.notes()].filter(({ note }) => note.includes(noEndMarker));
    tell(
      unended.map((file) => [file.path, noEndMarker]),
      unended.length,
      (left) => say`… and ${left} more files without an end marker: \`leaf check\` lists them all`,
    );

    const { unreadable = 0, name = 0 } = summary.places ?? {};
    tell(
      map(index.places("unreadable", "name"), (place) => [place.path, place.reason]),
      unreadable + name,
      (left) => say`… and ${left} more folders and names that cannot be read: \`leaf check\` lists them all`,
    );

    if (options.onFailure) {
      for (const { path: file, error } of index.failed())
        options.onFailure({ kind: "index", file, reason: error });
      for (const { path: file, reason } of index.places("unreadable", "name"))
        options.onFailure({ kind: "index", file, reason });
    }

    const { groupBy } = config.split;
    const mosFile = config.mos && path.resolve(root, config.mos.file);
    // With a split file, the column may be in either: the MOS file is asked first.
    const grouped =
      typeof groupBy === "string" &&
      mosFile !== undefined &&
      (config.split.file === undefined || (await columnsOf(mosFile, config.mos?.format)).includes(groupBy));
    const mos = config.mos
      ? await during(say`the human scores were read`, mosFile, () =>
          readMos({ ...config.mos!, file: mosFile! }, index, {
            columns: grouped ? [groupBy] : [],
            // The layout's own groups may be missing from a file; those that the config names may not.
            optional: grouped && groupBy === factsOf(config.mos!.format)?.groupBy ? [groupBy] : [],
            signal,
            onProblem: ({ line, message }) =>
              options.onFailure?.({ kind: "row", file: config.mos!.file, line, reason: message }),
          }),
        )
      : undefined;
    const mosProblemCount = mos ? Object.values(mos.counts).reduce((sum, n) => sum + n, 0) : 0;
    const moreRows = (table: string | undefined) => (left: TextValue) =>
      say`… and ${left} more rows of ${table ?? ""}: \`leaf check\` lists them all`;
    if (mos) {
      const name = config.mos!.file;
      tell(
        map(mos.problems, (p) => [`${name}:${p.line}`, p.message]),
        mosProblemCount,
        moreRows(name),
      );
    }
    const targets: TargetScores[] = [];
    for (const target of furtherTargets(config.mos)) {
      const { file } = config.mos!;
      // What is wrong with names has been told of the main target.
      const own = ["notANumber", "outOfRange", "conflict"] as const;
      const isOwn = ({ kind }: MosProblem) => own.some((one) => one === kind);
      const read = await during(say`the human scores were read`, mosFile, () =>
        readMos({ ...mosOfTarget(config.mos!, target), file: mosFile! }, index, {
          signal,
          onProblem(problem) {
            const reason = `${target.name}: ${problem.message}`;
            if (isOwn(problem)) options.onFailure?.({ kind: "row", file, line: problem.line, reason });
          },
        }),
      );
      targets.push({ ...target, mos: read.scores, ...(read.raw && { raw: read.raw }) });
      tell(
        map(read.problems.filter(isOwn), (p) => [`${file}:${p.line}: ${target.name}`, p.message]),
        own.reduce((sum, kind) => sum + read.counts[kind], 0),
        moreRows(`${file}, ${target.name}`),
      );
    }
    const { file, similar, ...drawn } = config.split;
    const twins =
      options.findTwins || (similar !== null && file === undefined)
        ? (await findTwins({ root, indexFile, maxPixels: maxPixelsOf(config), signal, onProgress })).filter(
            ({ alike }) => alike >= (similar ?? defaultSimilar),
          )
        : undefined;
    const split = await during(say`the images were split`, file && path.resolve(root, file), () =>
      splitImages(
        index,
        { ...drawn, file: file && path.resolve(root, file) },
        { columns: grouped ? mos?.columns : undefined, twins: similar === null ? undefined : twins, signal },
      ),
    );
    tell(
      map(split.problems, (p) => [`${file}:${p.line}`, p.message]),
      split.problems.length,
      moreRows(file),
    );
    if (options.onFailure)
      for (const { line, message } of split.problems)
        options.onFailure({ kind: "row", file: file!, line, reason: message });
    if (onWarning && !options.filesTold) for (const problem of problems) onWarning(problem);

    const hashes = [...split.of.keys()].sort();
    const families = new Map(
      split.twins?.families.flatMap((family) =>
        family.map((hash) => [hash, `twins of ${family[0]!.slice(0, 8)}`]),
      ),
    );
    const splitOf = (hash: string) => split.of.get(hash) ?? "train";
    const relativePathOf = (hash: string) => index.byHash(hash)!.path;
    return {
      summary,
      hashes,
      mos: mos?.scores ?? new Map(),
      mosStd: mos?.stds ?? new Map(),
      mosCount: mos?.numbers ?? new Map(),
      raw: mos?.raw,
      mosShape: mos?.shape,
      ...(targets.length > 0 && { targets }),
      counts: split.counts,
      groups: split.groups,
      twins,
      keptTogether: split.twins,
      splitDigest: digestLines(map(hashes, (hash) => `${hash} ${splitOf(hash)}`)),
      splitOf,
      groupOf: (hash) => split.groupOf.get(hash)!,
      pathOf: (hash) => path.join(root, relativePathOf(hash)),
      relativePathOf,
      digestOf: digestLines,
      groupNameOf: (hash) => groupName(split.groupOf.get(hash)) ?? families.get(hash),
      problems: problems.map(inEnglish),
      mosProblems: mos?.problems ?? [],
      firstMosProblem: mos?.firstProblem,
      mosProblemCount,
      index,
      close: () => index.close(),
    };
  } catch (error) {
    index.close();
    throw error;
  }
}

function* map<T, R>(items: Iterable<T>, change: (item: T) => R): Generator<R> {
  for (const item of items) yield change(item);
}
