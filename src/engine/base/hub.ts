import { existsSync, readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/** The folder that `model` names, or undefined for a model on the hub. It need not exist where it is written as a path. */
export function localFolder(model: string, root: string): string | undefined {
  const folder = path.resolve(root, model);
  const isPath = path.isAbsolute(model) || /^\.{1,2}([\\/]|$)/.test(model);
  return isPath || (existsSync(folder) && statSync(folder).isDirectory()) ? folder : undefined;
}

/** Where Hugging Face's libraries keep what they fetched of a model. */
export function hubCache(model: string, env: NodeJS.ProcessEnv = process.env): string {
  const home = env.HF_HOME ?? path.join(env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache"), "huggingface");
  const cache = env.HF_HUB_CACHE ?? path.join(home, "hub");
  return path.join(cache, `models--${model.replaceAll("/", "--")}`);
}

/** Whether some revision of a model lies there. */
export function isFetched(model: string, env: NodeJS.ProcessEnv = process.env): boolean {
  try {
    return readdirSync(path.join(hubCache(model, env), "snapshots")).length > 0;
  } catch {
    return false;
  }
}
