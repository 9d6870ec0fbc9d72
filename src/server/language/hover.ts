import type { Hover } from "vscode-languageserver/node";
import { isCollection, isNode, isPair, isScalar, type Pair, visit } from "yaml";
import { keyName, keySpan } from "../../engine/config/yamlDocument.ts";
import type { ProjectSnapshot } from "../../protocol/project.ts";
import { count } from "../../words/figure.ts";
import { t } from "../locale.ts";
import { type ConfigDocument, scalarAt } from "./configDocument.ts";
import type { ConfigPath } from "./context.ts";
import { describeKey } from "./describe.ts";
import { schemasAt } from "./schema.ts";

/** Documentation of the key or value at an offset, with what is known of the data it names. */
export function hoverAt(
  config: ConfigDocument,
  offset: number,
  snapshot?: ProjectSnapshot,
): Hover | undefined {
  const found = pairUnder(config, offset);
  const span = found && keySpan(found.pair);
  if (!found || !span) return undefined;
  const text = describeKey(
    found.path,
    schemasAt(found.path, (at) => scalarAt(config.yaml, at)),
  );
  if (!text) return undefined;
  const data = snapshot ? dataLine(found.path.join("."), snapshot) : undefined;
  return {
    contents: { kind: "markdown", value: data ? `${text}\n\n---\n${data}` : text },
    range: config.range(...span),
  };
}

/** The innermost pair whose key or scalar value covers the offset. */
export function pairUnder(
  config: ConfigDocument,
  offset: number,
): { pair: Pair; path: ConfigPath } | undefined {
  let found: { pair: Pair; path: ConfigPath } | undefined;
  const covers = (node: unknown) =>
    isNode(node) && node.range && node.range[0] <= offset && offset <= node.range[1];
  visit(config.yaml, {
    Pair(_, pair, ancestors) {
      const short = isScalar(pair.value) || (isCollection(pair.value) && pair.value.flow);
      if (!covers(pair.key) && !(short && covers(pair.value))) return;
      const names = ancestors.filter(isPair).map(keyName);
      const own = keyName(pair);
      if (own !== undefined && names.every((name) => name !== undefined))
        found = { pair, path: [...(names as string[]), own] };
    },
  });
  return found;
}

function dataLine(key: string, { images, mos }: ProjectSnapshot): string | undefined {
  if (key === "images" && images) {
    const failed =
      images.failed > 0
        ? `, ${t("{0} of {1} files cannot be read", count(images.failed), count(images.files))}`
        : "";
    return `${t("{0} images", count(images.usable))}${failed}`;
  }
  if ((key === "mos" || key === "mos.file") && mos) {
    const { rated, train, val, test } = mos;
    const rows = t("{0} images have a MOS", count(rated));
    return `${rows}: ${count(train)} train · ${count(val)} val · ${count(test)} test`;
  }
  return undefined;
}
