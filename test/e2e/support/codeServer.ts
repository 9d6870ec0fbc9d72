import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { vsixFile } from "./package.ts";
import { endAll, marked, type RunningProcess } from "./processes.ts";
import { userSettings } from "./settings.ts";
import { until } from "./until.ts";

const entry = path.resolve("test/e2e/node_modules/code-server/out/node/entry.js");

/** A VS Code of its own: fresh profile, fresh extensions folder, the .vsix installed as a user would. */
export interface CodeServer {
  /** Finds its processes again, see processes.ts. */
  id: string;
  home: string;
  url: string;
  log(): string;
  /** What LEAF wrote into its output channel. */
  leafLog(): string;
  /** Ids of the extensions that the extension host has activated, as its own log tells. */
  activated(): string[];
  /** Ends it and all that it started; returns LEAF's processes that would have outlived it by more than a few seconds. */
  stop(): Promise<RunningProcess[]>;
}

export interface CodeServerOptions {
  env?: NodeJS.ProcessEnv;
  /** On top of the quiet ones in settings.ts. */
  settings?: Record<string, unknown>;
  /** Packages to install beside LEAF's. */
  packages?: string[];
}

export async function startCodeServer(options: CodeServerOptions = {}): Promise<CodeServer> {
  const id = randomUUID();
  const home = mkdtempSync(path.join(tmpdir(), "leaf-e2e-"));
  const settings = path.join(home, "profile", "User", "settings.json");
  mkdirSync(path.dirname(settings), { recursive: true });
  writeFileSync(settings, JSON.stringify({ ...userSettings(), ...options.settings }, null, 2));
  const environment = { ...marked(id), XDG_CONFIG_HOME: home, EXTENSIONS_GALLERY: "{}", ...options.env };
  let installed = await installExtension(home, environment);
  for (const file of options.packages ?? []) installed += await installExtension(home, environment, file);
  const port = await freePort();
  const server = spawn(
    process.execPath,
    [
      entry,
      ...profileFlags(home),
      ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry"],
      ...["--disable-update-check", "--disable-workspace-trust", "--ignore-last-opened"],
    ],
    { env: environment, stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = installed;
  for (const stream of [server.stdout, server.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  const url = `http://127.0.0.1:${port}`;
  await until("code-server to answer", async () => (await fetch(`${url}/healthz`)).ok);

  return {
    id,
    home,
    url,
    log: () => log,
    leafLog: () => readLogs(home, /leaf[^/]*\/[^/]*\.log$|LEAF[^/]*\.log$/),
    activated: () =>
      [...readLogs(home, /remoteexthost\.log$/).matchAll(/_doActivateExtension ([\w.-]+)/g)].map(([, id]) =>
        String(id),
      ),
    async stop() {
      server.kill("SIGKILL");
      const left = await endAll(id);
      rmSync(home, { recursive: true, force: true });
      return left;
    },
  };
}

/** What the logs of a profile hold whose path matches, one after the other. */
function readLogs(home: string, name: RegExp): string {
  const logs = path.join(home, "profile", "logs");
  return readdirSync(logs, { recursive: true, encoding: "utf8" })
    .filter((file) => name.test(file))
    .map((file) => readFileSync(path.join(logs, file), "utf8"))
    .join("\n");
}

/** `code --install-extension` into `<home>/extensions`. Returns what it printed. */
export async function installExtension(home: string, env = process.env, file = vsixFile()): Promise<string> {
  const printed = await finished(
    spawn(process.execPath, [entry, ...profileFlags(home), "--install-extension", file], { env }),
  );
  if (!/was successfully installed/.test(printed))
    throw new Error(`The extension was not installed: ${printed}`);
  return printed;
}

function profileFlags(home: string): string[] {
  const config = path.join(home, "config.yaml");
  writeFileSync(config, "cert: false\n");
  const [profile, extensions] = [path.join(home, "profile"), path.join(home, "extensions")];
  return ["--config", config, "--user-data-dir", profile, "--extensions-dir", extensions];
}

async function finished(child: ChildProcess): Promise<string> {
  let text = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (part: string) => (text += part));
  await once(child, "close");
  return text;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || !address) throw new Error("No port.");
  return address.port;
}
