import { existsSync } from "node:fs";
import path from "node:path";
import type { ConsentItem } from "../../protocol/consent.ts";
import type { Text } from "../../protocol/text.ts";
import { inEnglish, quoted, say } from "../../words/text.ts";
import { decideEndpoint, originOf } from "../base/endpoint.ts";
import { hubCache, isFetched, localFolder } from "../base/hub.ts";
import { redact, redactConfig } from "../base/redact.ts";
import type { ClipTeacherConfig, OpenaiTeacherConfig, ServeConfig } from "../config/teacher.ts";
import { consentDigest, fileDigest } from "./digest.ts";
import { shownCommand, shownPart, visible } from "./shown.ts";

/** Not yet with the place where it is written. */
export type PlacelessItem = Omit<ConsentItem, "file" | "line">;

/** A program named with a folder is a file, relative to the config's; others are found on the PATH. */
export function programPath(named: string, root: string): string | undefined {
  return /[\\/]/.test(named) ? path.resolve(root, named) : undefined;
}

export function interpreterItem(named: string, root: string): PlacelessItem {
  const file = programPath(named, root);
  return {
    kind: "interpreter",
    digest: consentDigest({
      kind: "interpreter",
      command: file ?? named,
      content: file ? fileDigest(file) : null,
      // A virtual environment says there whose Python it is.
      environment: file ? fileDigest(path.join(path.dirname(file), "..", "pyvenv.cfg")) : null,
    }),
    ...titled(say`Run the Python interpreter ${shownPart(named)}`),
    ...detailed(quoted(`${shownPart(file ?? named)} -m leaf …`)),
    path: ["python", "interpreter"],
  };
}

export function serverItem(serve: ServeConfig, root: string): PlacelessItem {
  const command = [...serve.command, ...serve.args].map((part) => part.replaceAll("{model}", serve.model));
  const shown = redactConfig({ command, env: serve.env });
  const variables = Object.entries(shown.env).map(
    ([name, value]) => `${shownPart(name)}=${shownPart(value)}`,
  );
  return {
    kind: "server",
    digest: consentDigest({
      kind: "server",
      command,
      env: serve.env,
      cwd: path.resolve(root),
      // The program, and a script that it is given.
      content: command.map((part, i) => contentOf(part, root, i === 0)),
    }),
    ...titled(say`Start the teacher's server`),
    ...detailed(
      quoted(redact(shownCommand(shown.command))),
      ...(variables.length > 0 ? [say`with ${redact(variables.join(" "))}`] : []),
      say`in ${visible(path.resolve(root))}`,
    ),
    path: ["teacher", "serve"],
  };
}

function contentOf(part: string, root: string, isProgram: boolean): string | null {
  if (isProgram) {
    const file = programPath(part, root);
    return file ? fileDigest(file) : null;
  }
  const value = part.startsWith("-") && part.includes("=") ? part.slice(part.indexOf("=") + 1) : part;
  if (value === "" || value.includes("{port}")) return null;
  const file = path.resolve(root, value);
  // Weights are data: what changes with a fine-tuning is no other program.
  return existsSync(file) && !/\.(gguf|safetensors)$/i.test(file) ? fileDigest(file) : null;
}

/** What needs the user's word before an endpoint is asked: a key's way to a host, and images without encryption. */
export function endpointItems(
  config: Pick<OpenaiTeacherConfig, "endpoint" | "keyEnv">,
  env: NodeJS.ProcessEnv,
): PlacelessItem[] {
  const items: PlacelessItem[] = [];
  const urls = [config.endpoint ?? []].flat();
  urls.forEach((url, i) => {
    const decided = decideEndpoint(url, [], { allowLinkLocal: true });
    if (!decided.allowed || decided.local) return;
    const at = ["teacher", "endpoint", ...(Array.isArray(config.endpoint) ? [i] : [])];
    const origin = originOf(url);
    if (!decided.encrypted)
      items.push({
        kind: "plainHttp",
        digest: consentDigest({ kind: "plainHttp", origin }),
        ...titled(say`Send images to ${origin} without encryption`),
        ...detailed(),
        path: at,
      });
    const variable = config.keyEnv ?? (env.LEAF_TEACHER_KEY?.trim() ? "LEAF_TEACHER_KEY" : undefined);
    if (variable !== undefined)
      items.push({
        kind: "key",
        digest: consentDigest({ kind: "key", variable, origin }),
        ...titled(say`Send the key of the environment variable ${variable} to ${origin}`),
        ...detailed(),
        path: config.keyEnv === undefined ? at : ["teacher", "keyEnv"],
      });
  });
  const seen = new Set<string>();
  return items.filter(({ digest }) => !seen.has(digest) && seen.add(digest));
}

/** Who meets there may have the others run programs: torchrun trusts all of them. */
export function rendezvousItem(rendezvous: string): PlacelessItem {
  return {
    kind: "rendezvous",
    digest: consentDigest({ kind: "rendezvous", rendezvous }),
    ...titled(say`Train together with all machines that meet at ${shownPart(rendezvous)}`),
    ...detailed(say`torchrun trusts them: each may run programs on the others`),
    path: ["distill", "launch", "rendezvous"],
  };
}

/** Weights of models that are often chosen, in millions of bytes: four for each parameter. */
const knownSizes: Record<string, number> = {
  "google/siglip-base-patch16-224": 813,
  "google/siglip2-base-patch16-224": 1500,
  "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": 605,
  "openai/clip-vit-base-patch16": 599,
  "openai/clip-vit-base-patch32": 605,
  "openai/clip-vit-large-patch14": 1711,
};

/** A model of the hub that is not on this machine yet. */
export function downloadItems(
  { model, revision }: Pick<ClipTeacherConfig, "model" | "revision">,
  root: string,
): PlacelessItem[] {
  if (localFolder(model, root) !== undefined || isFetched(model)) return [];
  const size = knownSizes[model];
  const named = shownPart(model);
  const item: PlacelessItem = {
    kind: "download",
    digest: consentDigest({ kind: "download", model, revision: revision ?? null }),
    ...titled(
      size === undefined
        ? say`Download the model ${named} from the Hugging Face hub (its page there tells the size)`
        : say`Download the model ${named} from the Hugging Face hub (about ${size} MB)`,
    ),
    ...detailed(say`into ${visible(hubCache(model))}`),
    path: ["teacher", "model"],
  };
  return [item];
}

function titled(words: Text): Pick<ConsentItem, "title" | "words"> {
  return { title: inEnglish(words), words };
}

function detailed(...words: Text[]): Pick<ConsentItem, "details" | "detailWords"> {
  return { details: words.map(inEnglish), detailWords: words };
}
