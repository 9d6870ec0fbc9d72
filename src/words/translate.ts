/** `vscode.l10n.t`, handed to the files that do not import vscode. */
export type Translate = (message: string, ...values: (string | number)[]) => string;

/** English, for tests and for what runs without an editor. */
export const english: Translate = (message, ...values) =>
  message.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)] ?? ""));

/** Says things in the words of a bundle; what the bundle lacks in English. */
export function translator(bundle: Record<string, string>): Translate {
  return (message, ...values) =>
    english(Object.hasOwn(bundle, message) ? bundle[message]! : message, ...values);
}
