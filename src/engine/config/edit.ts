import path from "node:path";
import { type Document, parseDocument } from "yaml";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { canonicalJson } from "../base/keys.ts";
import type { Config } from "./config.ts";
import { parseConfig } from "./read.ts";
import { pairAt, type YamlText, yamlText } from "./yamlDocument.ts";
import { addBehind, appendItems, applyEdits, type Edit, setValue } from "./yamlEdit.ts";

/** A change of a config's text that leaves all else as it was written; `formatted` is a second way, which may reformat. */
interface Change {
  /** Undefined for what cannot be written so. */
  plain(config: YamlText): (Edit | undefined)[];
  formatted(document: Document): void;
  /** What the config must be afterwards. */
  wanted(config: Config): unknown;
}

/** Applies an edit and makes sure of its effect. Throws LeafError `config` for a config that cannot be read or edited. */
function applyEdit(text: string, file: string, edit: Change): string {
  const before = parseConfig(text);
  if (!before.ok) {
    const first = before.problems[0]!;
    throw new LeafError(
      "config",
      say`${path.basename(file)}:${first.line}:${first.column}: ${first.words}.`,
      {
        file,
        line: first.line,
        column: first.column,
      },
    );
  }
  const wanted = canonicalJson(edit.wanted(before.config));
  const document = parseDocument(text);
  const isRight = (edited: string | undefined): edited is string => {
    const after = edited === undefined ? undefined : parseConfig(edited);
    return after?.ok === true && canonicalJson(after.config) === wanted;
  };
  const edits = edit.plain(yamlText(text));
  const plain = edits.every((one) => one !== undefined) ? applyEdits(text, edits) : undefined;
  if (isRight(plain)) return plain;
  edit.formatted(document);
  const formatted = document.toString({ lineWidth: 110, flowCollectionPadding: true });
  if (isRight(formatted)) return formatted;
  throw new LeafError("config", say`${path.basename(file)} is written in a way that cannot be edited.`, {
    file,
    remedy: say`Edit it by hand.`,
  });
}

/** Names a file of ratings on 1..5, all of whose training images calibrate: they were rated for that. */
export function withRatingsFile(
  text: string,
  file: string,
  { lowerIsBetter: _, ...mos }: NonNullable<Config["mos"]>,
): string {
  return applyEdit(text, file, {
    plain(config) {
      const hasCalibrate = pairAt(config.yaml, ["calibrate"]) !== undefined;
      const added = addBehind(config, "images", {
        mos,
        ...(hasCalibrate ? {} : { calibrate: { ratio: 1 } }),
      });
      const ratio = hasCalibrate ? [setValue(config, ["calibrate", "ratio"], 1)] : [];
      return [added, ...ratio];
    },
    formatted(document) {
      document.set("mos", document.createNode(mos, { flow: true }));
      document.setIn(["calibrate", "ratio"], 1);
    },
    wanted: (config) => ({
      ...config,
      mos: { ...mos, lowerIsBetter: false },
      calibrate: { ...config.calibrate, ratio: 1 },
    }),
  });
}

/** Leaves files out of `images:`, which becomes a list; those that are left out already are passed over. */
export function withExclusions(
  text: string,
  file: string,
  paths: readonly string[],
): { text: string; added: number } {
  const current = parseConfig(text);
  const listed = new Set(current.ok ? [current.config.images].flat() : []);
  const entries = [...new Set(paths)].map((one) => `!${one}`).filter((entry) => !listed.has(entry));
  if (current.ok && entries.length === 0) return { text, added: 0 };
  const edited = applyEdit(text, file, {
    plain: (config) => appendItems(config, ["images"], entries) ?? [undefined],
    formatted: (document) =>
      document.set("images", document.createNode([...[document.toJS().images].flat(), ...entries])),
    wanted: (config) => ({ ...config, images: [...[config.images].flat(), ...entries] }),
  });
  return { text: edited, added: entries.length };
}
