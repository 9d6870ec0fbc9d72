import type { FailureSummary } from "../../protocol/failures.ts";
import { bytes } from "../../words/figure.ts";
import { inEnglish } from "../../words/text.ts";
import { networkShare } from "../base/networkShare.ts";
import { failuresDir, type Project } from "../config/project.ts";
import { failuresIn } from "../failures/list.ts";
import { noEndMarker } from "../images/ending.ts";
import { displayName, type ImageFormat } from "../images/format.ts";
import { maxPixelsOf } from "../images/limits.ts";
import { type CatalogOptions, openCatalog } from "./catalog.ts";
import { dataErrors } from "./dataErrors.ts";
import { type ImageIndex, type Place, placeKinds } from "./dataset.ts";
import { type DecodeFinding, decodeAll } from "./decodeAll.ts";
import { describeReading } from "./describeReading.ts";
import { unseen } from "./seenShare.ts";
import { type Training, trainingOf } from "./training.ts";
import { type Leak, leakProblems, leaksOf, twinProblems } from "./twins/leaks.ts";

export interface CheckResult {
  images: number;
  withMos: number;
  splits: { train: number; val: number; test: number };
  duplicates: number;
  /** Images of which another is the same picture, saved, scaled, cut or converted again; absent after a quick check of a split file. */
  nearDuplicates?: number;
  /** Held-out images whose twin is in another split. */
  leaks?: Leak[];
  /** Files that no stage can use, by their header or by decoding them. */
  unreadable: number;
  /** Which formats the images have, where not all are usual; how the MOS file is read, how images are grouped and where the split is from: a sentence each. */
  reading: string[];
  /** How the student would be trained: what the config says, and what suits its family where it says nothing. */
  training: Training;
  problems: string[];
  /** Those that no run gets over: with any, `leaf check` fails. */
  errors: string[];
  /** Every file and row that is of no use; absent where there is none. */
  failures?: FailureSummary;
  /** Every folder that cannot be read, name that is not UTF-8, and link that is not followed or leads out of the project. */
  places: Place[];
}

/** Links told one by one; how many more there are is told too. */
const toldLinks = 10;

const listed = 100;

export interface CheckOptions extends Pick<CatalogOptions, "signal" | "onProgress"> {
  /** Looks at the headers of the images only, and decodes none. */
  quick?: boolean;
}

/** Reads everything that a run would read, and changes nothing but the index. An image is decoded in the first check only. */
export async function checkProject(project: Project, options: CheckOptions): Promise<CheckResult> {
  const { signal, onProgress, quick = false } = options;
  const list = failuresIn(failuresDir(project, "check"));
  const catalog = await openCatalog(project, { signal, onProgress, onFailure: list.add, findTwins: !quick });
  try {
    const { root, indexFile, config } = project;
    const maxPixels = maxPixelsOf(config);
    const findings = quick ? [] : await decodeAll({ root, indexFile, maxPixels, signal, onProgress });
    const undecodable = findings.filter(({ problem }) => problem !== null);
    for (const { path, problem } of undecodable) list.add({ kind: "decode", file: path, reason: problem! });
    const failures = await list.finish();
    const errors = dataErrors(project, catalog).map(
      ({ path, message }) => `${path.join(".")}: ${inEnglish(message)}`,
    );
    const { images, files, failed } = catalog.summary;
    if (images > 0 && undecodable.length === files - failed)
      errors.push("images: None of these files can be decoded.");
    const problems = [...errors, ...withFindings(catalog.problems, findings)];
    if (catalog.summary.duplicates > 0)
      problems.push(`${catalog.summary.duplicates} files are copies of others and count once`);
    const { twins } = catalog;
    const leaks = twins && leaksOf(catalog, twins);
    if (leaks) problems.push(...leakProblems(leaks), ...twinProblems(catalog));
    problems.push(...linkProblems(catalog.index, catalog.summary.places ?? {}));
    problems.push(...largeImages(catalog.index));
    problems.push(...shareProblems(networkShare(project.leaf)));
    const unlooked = unseen(config, catalog.index);
    if (unlooked) problems.push(inEnglish(unlooked));
    for (const { path, note } of catalog.index.notes()) {
      if (problems.length >= listed) break;
      if (note !== noEndMarker) problems.push(`${path}: ${note.replace(`; ${noEndMarker}`, "")}`);
    }
    return {
      images: catalog.hashes.length,
      withMos: catalog.mos.size,
      splits: catalog.counts,
      duplicates: catalog.summary.duplicates,
      ...(twins && { nearDuplicates: new Set(twins.flatMap(({ a, b }) => [a, b])).size, leaks }),
      unreadable: catalog.summary.failed + undecodable.length,
      reading: [...formatLine(catalog.index), ...describeReading(project.config, catalog)],
      training: trainingOf(project.config),
      problems,
      errors,
      ...(failures && { failures }),
      places: [...catalog.index.places(...placeKinds)],
    };
  } finally {
    catalog.close();
  }
}

const usual: readonly string[] = ["jpeg", "png"] satisfies ImageFormat[];

function formatLine(index: ImageIndex): string[] {
  const counts = new Map<string, number>();
  for (const { format } of index.iterate()) if (format) counts.set(format, (counts.get(format) ?? 0) + 1);
  if ([...counts.keys()].every((format) => usual.includes(format))) return [];
  const each = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(
      ([format, n]) =>
        `${n} ${displayName(format as ImageFormat) ?? format}${format === "raw" ? " (by the preview inside)" : ""}`,
    );
  return [`Formats: ${each.join(", ")}.`];
}

/** SQLite relies on the file system's locks, and shares of several machines do not keep them reliably. */
export function shareProblems(share: string | undefined): string[] {
  if (share === undefined) return [];
  return [
    `.leaf is on a network share (${share}), where SQLite's locks are not safe: let one machine at a time write it, or put .leaf on a local disk (.leaf may be a link). To share labels, exchange Parquet files (\`leaf labels export\`, \`leaf labels import\`) or bring copies of the stores together (\`leaf labels merge\`)`,
  ];
}

/** Megapixels from which one picture takes a third of a gigabyte while it is decoded. */
const large = 100;
const toldLarge = 10;

/** They are used, one at a time: worth knowing before a run takes long. */
function largeImages(index: ImageIndex): string[] {
  const lines: string[] = [];
  let more = 0;
  for (const { path, width, height } of index.iterate()) {
    const megapixels = ((width ?? 0) * (height ?? 0)) / 1e6;
    if (megapixels <= large) continue;
    const memory = bytes(3e6 * megapixels);
    if (lines.length < toldLarge)
      lines.push(
        `${path}: ${Math.round(megapixels)} megapixels take ${memory} of memory while they are decoded`,
      );
    else more++;
  }
  return more > 0 ? [...lines, `… and ${more} more images of over ${large} megapixels`] : lines;
}

function linkProblems(index: ImageIndex, counts: { link?: number; outside?: number }): string[] {
  return (["link", "outside"] as const).flatMap((kind) => {
    const lines: string[] = [];
    for (const { path, reason } of index.places(kind)) {
      if (lines.length === toldLinks) break;
      lines.push(`${path}: ${reason}`);
    }
    const more = (counts[kind] ?? 0) - lines.length;
    const what =
      kind === "link" ? "links that are not followed" : "links that lead out of the project's folder";
    return more > 0 ? [...lines, `… and ${more} more ${what}`] : lines;
  });
}

/** What decoding said of a file stands in place of what its end made one suspect. */
function withFindings(problems: readonly string[], findings: readonly DecodeFinding[]): string[] {
  const suspected = new Set(findings.map(({ path }) => `${path}: ${noEndMarker}`));
  const lines = findings.map(({ path, problem, note }) => `${path}: ${problem ?? note}`);
  const more =
    lines.length > listed ? [`… and ${lines.length - listed} more images that are not in order`] : [];
  return [...lines.slice(0, listed), ...more, ...problems.filter((line) => !suspected.has(line))];
}
