import { stat } from "node:fs/promises";
import path from "node:path";
import type { DocumentLink } from "vscode-languageserver/node";
import { URI } from "vscode-uri";
import { isScalar, isSeq } from "yaml";
import type { Span } from "../../engine/config/yamlDocument.ts";
import { t } from "../locale.ts";
import { type ConfigDocument, folderOf } from "./configDocument.ts";
import type { ConfigPath } from "./context.ts";

const filePaths: ConfigPath[] = [
  ["mos", "file"],
  ["split", "file"],
  ["student", "model"],
  ["python", "interpreter"],
];

/** Links from the paths in a config to what is there; a path that names nothing gets none. */
export async function documentLinks(config: ConfigDocument): Promise<DocumentLink[]> {
  const folder = folderOf(config.uri);
  if (!folder) return [];
  const written = [...imageEntries(config), ...filePaths.flatMap((at) => texts(config.yaml.getIn(at, true)))];
  const links = await Promise.all(
    written.map(async ({ text, span }) => {
      const target = path.resolve(folder, staticPart(text));
      const found = await stat(target).catch(() => undefined);
      if (!found) return [];
      const tooltip = found.isDirectory() ? t("Open folder") : t("Open file");
      return [{ range: config.range(...span), target: URI.file(target).toString(), tooltip }];
    }),
  );
  return links.flat();
}

interface Written {
  text: string;
  span: Span;
}

function imageEntries({ yaml }: ConfigDocument): Written[] {
  const node = yaml.getIn(["images"], true);
  return isSeq(node) ? node.items.flatMap(texts) : texts(node);
}

function texts(node: unknown): Written[] {
  if (!isScalar(node) || typeof node.value !== "string" || node.value === "" || !node.range) return [];
  return [{ text: node.value, span: [node.range[0], node.range[1]] }];
}

/** The folder that a glob starts from. */
function staticPart(entry: string): string {
  const plain = entry.replace(/^!/, "");
  const magic = plain.search(/[*?[\]{}()]/);
  return magic < 0 ? plain : plain.slice(0, plain.lastIndexOf("/", magic) + 1) || ".";
}
