import type { Failure } from "../protocol/jobs.ts";
import type { Text } from "../protocol/text.ts";
import { speakFigures } from "../words/figure.ts";
import { render } from "../words/text.ts";
import { type Translate, translator } from "../words/translate.ts";

let speak: Translate = translator({});

/** The editor's language, told at its first request; English until then. */
export function setLanguage(bundle: Record<string, string>): void {
  speak = translator(bundle);
  speakFigures(speak);
}

/** All that this server says to people goes through here. */
export const t: Translate = (message, ...values) => speak(message, ...values);

/** What the engine says. */
export function worded(text: Text): string {
  return render(text, t);
}

/** A failure as it is shown; one of somebody else's words, or of an older file, stays as it is. */
export function wordedFailure(failure: Failure): Failure {
  const { words, ...rest } = failure;
  if (!words) return failure;
  return { ...rest, message: worded(words.message), remedy: words.remedy && worded(words.remedy) };
}
