import { open } from "node:fs/promises";
import path from "node:path";
import type { EvaluationView } from "../../protocol/server.ts";
import { quoted } from "../../words/text.ts";
import { regularFile } from "../base/regularFile.ts";
import type { Config } from "../config/config.ts";
import type { MosFormatName } from "../mos/formats.ts";

type Paper = NonNullable<EvaluationView["paper"]>;

interface PaperDataset extends Paper {
  /** In a path of the config. */
  named: RegExp;
  /** Of the MOS file as it is published. */
  column?: string;
  formats: readonly MosFormatName[];
}

/** LEAF, arXiv 2601.20689: distilled without MOS, and calibrated with a share of them. */
const datasets: PaperDataset[] = [
  {
    dataset: "KonIQ-10k",
    named: /koniq/i,
    column: "MOS_zscore",
    formats: ["koniq10k", "koniq10k-sets"],
    rows: [{ name: "LEAF paper, no MOS", srcc: 0.777, plcc: 0.801 }],
  },
  {
    dataset: "SPAQ",
    named: /spaq/i,
    formats: ["spaq"],
    rows: [{ name: "LEAF paper, no MOS", srcc: 0.861, plcc: 0.867 }],
  },
  {
    dataset: "AGIQA-3K",
    named: /agiqa/i,
    column: "mos_quality",
    formats: ["agiqa3k"],
    rows: [
      { name: "LEAF paper, no MOS", srcc: 0.749, plcc: 0.811 },
      { name: "LEAF paper, 10 % MOS", srcc: 0.841, plcc: 0.899 },
      { name: "LEAF paper, 30 % MOS", srcc: 0.85, plcc: 0.912 },
    ],
  },
];

/** The published figures, where names or the MOS file's columns tell one of the paper's datasets; else null. */
export async function paperFigures(root: string, config: Config): Promise<Paper | null> {
  const header = config.mos ? await firstLine(path.resolve(root, config.mos.file)) : "";
  const columns = header.split(/[,;\t]/).map((cell) => cell.replace(/^\ufeff?"?|"?\s*$/g, ""));
  const names = [config.mos?.file ?? "", ...[config.images].flat()];
  const found = datasets.find(
    ({ named, column, formats }) =>
      formats.some((format) => format === config.mos?.format) ||
      (column !== undefined && columns.includes(column)) ||
      names.some((name) => named.test(name)),
  );
  return found ? { dataset: found.dataset, rows: found.rows } : null;
}

async function firstLine(file: string): Promise<string> {
  try {
    await regularFile(file, quoted(""));
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0);
      return buffer.toString("utf8", 0, bytesRead).split(/\r?\n/, 1)[0]!;
    } finally {
      await handle.close();
    }
  } catch {
    return ""; // Gone since the run: then its name has to do.
  }
}
