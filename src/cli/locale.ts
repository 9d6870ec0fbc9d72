import { readFileSync } from "node:fs";
import path from "node:path";
import { appRoot } from "../engine/base/appRoot.ts";
import type { Text } from "../protocol/text.ts";
import { speakFigures } from "../words/figure.ts";
import { render } from "../words/text.ts";
import { type Translate, translator } from "../words/translate.ts";

let speak: Translate | undefined;

/** What people read at the terminal, in the language that LEAF_LANGUAGE names ("de"); English without it, and for programs. */
export const t: Translate = (message, ...values) => {
  speak ??= translator(bundleOf(process.env.LEAF_LANGUAGE));
  return speak(message, ...values);
};

speakFigures(t);

/** What the engine says. */
export function worded(text: Text): string {
  return render(text, t);
}

function bundleOf(language = ""): Record<string, string> {
  // "de_DE.UTF-8" is German, too.
  const [, name] = /^([a-z]{2,3})(?![a-z])/i.exec(language) ?? [];
  if (name === undefined) return {};
  try {
    const file = path.join(appRoot(), "l10n", `bundle.l10n.${name.toLowerCase()}.json`);
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return {};
  }
}
