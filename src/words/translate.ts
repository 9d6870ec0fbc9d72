/** `vscode.l10n.t`, handed to the files that do not import vscode. */
export type Translate = (message: string, ...values: (string | number)[]) => string;

/** English, for tests and for what runs without an editor. */
export const english: Translate = (message, ...values) =>
  message.replace(/\{(\d+)\}/g, (_, at) => String(values[Number(at)] ?? ""));
