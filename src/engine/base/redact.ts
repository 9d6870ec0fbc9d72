import type { Text } from "../../protocol/text.ts";
import { inEnglish, quoted } from "../../words/text.ts";

/** What stands where a secret stood. */
const cut = "…";

const known = new Set<string>();
let knownPattern: RegExp | undefined;

/** From now on `redact` cuts these values out, however they are quoted: the keys that this process has read. */
export function knowSecrets(values: Iterable<string | undefined>): void {
  const before = known.size;
  for (const value of values) if (value !== undefined && isWorthHiding(value)) known.add(value);
  if (known.size > before) knownPattern = patternOf(known);
}

/** Another one whenever more secrets are known: what was redacted before has to be redacted again. */
export function secretsKnown(): unknown {
  return knownPattern;
}

/** Forgets all of them; for tests. */
export function forgetSecrets(): void {
  known.clear();
  knownPattern = undefined;
}

/** A flag, a count or a stand-in is no secret, and would be cut out of every line. */
export function isWorthHiding(value: string): boolean {
  return value.trim().length >= 4 && !/^(\d{1,7}|true|false|none|null|empty|dummy)$/i.test(value.trim());
}

/** A pattern of secrets in every way they may be quoted: plain, in JSON, in a URL, in HTML. The longest first. */
function patternOf(secrets: Iterable<string>): RegExp | undefined {
  const spelt = new Set<string>();
  for (const secret of secrets)
    for (const one of [secret, secret.trim()]) {
      const json = JSON.stringify(one).slice(1, -1);
      const html = one.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
      for (const way of [one, json, html, html.replaceAll('"', "&quot;"), uriEncoded(one)]) spelt.add(way);
    }
  if (spelt.size === 0) return undefined;
  const longestFirst = [...spelt].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(escaped).join("|"), "g");
}

function uriEncoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return text; // Half a surrogate pair.
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** `tokenizer` and `max-tokens` are none. */
const secretName =
  /api[-_]?key|access[-_]?key|private[-_]?key|keyfile|token(?!i|s)|secret|passw|passphrase|credential|authorization|(?:^|[_-])(?:key|auth|pw|pat)(?:$|[_-](?!env|file|path|name|count|sock))/i;

/** Whether a variable, an option or a field of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return secretName.test(name);
}

/** Every repetition has a bound: a text of any length takes time in proportion to it. */
const shapes: [RegExp, string][] = [
  // Keys and tokens of known kinds, wherever they came from.
  [/\b(hf_|gsk_|ghp_|gho_|github_pat_|nvapi-|xox[abprs]-|AIza|AKIA)[A-Za-z0-9_-]{12,256}/g, `$1${cut}`],
  [/\b(sk-)(?:(?=[\w*-]{0,64}[\d*])[\w*-]{6,256}|[\w*-]{16,256})/g, `$1${cut}`],
  [/\beyJ[\w-]{8,4096}\.[\w-]{8,4096}\.[\w-]{0,4096}/g, cut],
  // Headers: Authorization: Bearer x, "x-api-key": "x".
  [/\b(Bearer|Basic)[ \t]{1,8}(?![A-Za-z_-]{0,11}…)[^\s"'),\\]{1,4096}/gi, `$1 ${cut}`],
  [
    /\b((?:proxy-)?authorization|(?:x-)?api-key|x-auth-token)(\\?["']?[ \t]{0,4}[:=][ \t]{0,4}\\?["']?)(?!bearer\b|basic\b|…)[^\s"',;)}\\]{1,4096}/gi,
    `$1$2${cut}`,
  ],
  // http://user:password@host
  [/\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/?#@"'<>…]{1,1024}@/gi, `$1${cut}@`],
  // ?api_key=x
  [
    /([?&;][\w.-]{0,40}(?:key|token|secret|passw|signature|credential|auth)[\w.-]{0,40}=)(?!…)[^&\s"'<>#\\]{1,4096}/gi,
    `$1${cut}`,
  ],
  // --api-key x, --token=x, and the same as a list of quoted arguments
  [
    /(--?[\w-]{0,40}(?:api-?_?key|token(?!i|s)|secret|passw|credential)[\w-]{0,20}(?:=|[ \t]{1,4}|\\?["'],[ \t]{0,4}\\?["']))(?![-…]|\d{1,7}\b|<|\[|\()[^\s"'`,;)\]\\]{4,4096}/gi,
    `$1${cut}`,
  ],
];

/** A text without the secrets that are known and without what looks like one. The one redactor of all that is written. */
export function redact(text: string): string {
  const without = knownPattern ? text.replace(knownPattern, cut) : text;
  return shapes.reduce((left, [pattern, instead]) => left.replace(pattern, instead), without);
}

/** Whether a text holds a key or token of a known kind. */
export function looksSecret(text: string): boolean {
  return shapes.slice(0, 3).some(([pattern]) => text.search(pattern) >= 0);
}

/** `redact` with more secrets, which it does not remember. */
export function redactor(secrets: Iterable<string>): (text: string) => string {
  const pattern = patternOf([...secrets].filter(isWorthHiding));
  return (text) => redact(pattern ? text.replace(pattern, cut) : text);
}

/** A plain value whose texts are redacted. */
export function redactValue<T>(value: T): T {
  return mapped(value, (one) => redact(one)) as T;
}

/** A sentence without secrets; one that only shows a secret in its words as a whole is data no more. */
export function redactText(text: Text): Text {
  const apart = redactValue(text);
  const whole = inEnglish(apart);
  return redact(whole) === whole ? apart : quoted(redact(whole));
}

/** A config as it is stored and shown: fields and options whose names say that they are secret have no value either. */
export function redactConfig<T>(config: T): T {
  return mapped(config, (one) => redact(one), true) as T;
}

function mapped(value: unknown, change: (text: string) => string, byName = false): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) {
    const hidden = byName ? secretArguments(value) : new Map<number, string>();
    return value.map((one, i) => hidden.get(i) ?? mapped(one, change, byName));
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      byName && typeof one === "string" && isSecretName(key) && !isPlaceholder(one) && isWorthHiding(one)
        ? cut
        : mapped(one, change, byName),
    ]),
  );
}

/** `{env:NAME}` stands for a variable's value and is none itself. */
export function isPlaceholder(text: string): boolean {
  return /^\{env:\w+\}$/.test(text);
}

/** Texts anywhere in a value whose keys say that they are secret. */
export function secretsIn(value: unknown): string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, one]) =>
    typeof one === "string" ? (isSecretName(key) && !isPlaceholder(one) ? [one] : []) : secretsIn(one),
  );
}

/** The arguments that hold a secret, by place, as they may be shown. */
function secretArguments(parts: readonly unknown[]): Map<number, string> {
  const found = new Map<number, string>();
  for (const { at, option, value, joined } of secretOptions(parts)) {
    if (!isPlaceholder(value)) found.set(at, joined ? `${option}=${cut}` : cut);
  }
  return found;
}

export interface SecretOption {
  /** Place of the argument that holds the value. */
  at: number;
  option: string;
  value: string;
  /** `--api-key=x`, one argument. */
  joined: boolean;
}

/** Options of a command line whose names say that their value is secret. */
export function secretOptions(parts: readonly unknown[]): SecretOption[] {
  return parts.flatMap((part, i): SecretOption[] => {
    if (typeof part !== "string" || !part.startsWith("-")) return [];
    const equals = part.indexOf("=");
    const option = equals < 0 ? part : part.slice(0, equals);
    if (!isSecretName(option.replace(/^-+/, ""))) return [];
    if (equals >= 0) {
      const value = part.slice(equals + 1);
      return isWorthHiding(value) ? [{ at: i, option, value, joined: true }] : [];
    }
    const value = parts[i + 1];
    if (typeof value !== "string" || value.startsWith("-") || !isWorthHiding(value)) return [];
    return [{ at: i + 1, option, value, joined: false }];
  });
}

/** Values of variables and of options whose names say that they are secret. */
export function secretsOf(
  env: Record<string, string | undefined>,
  command: readonly string[] = [],
): string[] {
  const ofEnv = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && isSecretName(name) ? [value] : [],
  );
  const all = [...ofEnv, ...secretOptions(command).map(({ value }) => value)].filter(
    (value) => isWorthHiding(value) && !isPlaceholder(value),
  );
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}
