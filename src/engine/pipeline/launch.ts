import { createWriteStream } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { launchNote } from "../../protocol/schema/launch.ts";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import { readJsonAs } from "../base/json.ts";
import { runChild } from "../base/processes.ts";
import { redact } from "../base/redact.ts";
import { version } from "../base/version.ts";
import type { Config } from "../config/config.ts";
import type { Project } from "../config/project.ts";
import { hostAndPort } from "../config/training.ts";
import { consentItems } from "../consent/needed.ts";
import { requireApproved } from "../consent/store.ts";
import { resolveInterpreter, trainerEnvironment } from "../python/environment.ts";
import { cannotStart, lackedModule, lastLine } from "../python/run.ts";
import { type NodeAddress, nodeAddress } from "./nodeAddress.ts";
import { stageDir } from "./stage.ts";

type LaunchConfig = NonNullable<Config["distill"]["launch"]>;
/** With the place that is meant. */
export type Launch = LaunchConfig & { rendezvous: string };

/** Where the nodes meet: LEAF_RENDEZVOUS, for machines that a scheduler names, else the config's. Throws LeafErrors `config` and `environment`. */
export function launchOf(
  { config, configFile }: Pick<Project, "config" | "configFile">,
  env: NodeJS.ProcessEnv = process.env,
): Launch | undefined {
  const { launch } = config.distill;
  if (!launch) return undefined;
  const own = env.LEAF_RENDEZVOUS?.trim();
  if (own && !hostAndPort.test(own))
    throw new LeafError("environment", say`LEAF_RENDEZVOUS is no host with a port.`, {
      remedy: say`Write it as node-1:29500.`,
    });
  const rendezvous = own || launch.rendezvous;
  if (rendezvous) return { ...launch, rendezvous };
  throw new LeafError("config", say`Nothing says where the nodes meet.`, {
    file: configFile,
    remedy: say`Set \`distill.launch.rendezvous\`, or the variable LEAF_RENDEZVOUS, to host and port of the main node.`,
  });
}

/** How a training is started: without torchrun, by it on this machine, or by it on several. */
export interface Torchrun {
  processes: number;
  launch?: Launch & NodeAddress;
}

/** What Python is started with before `-m leaf`. `id` tells one training from another at the rendezvous; `main` is where the engine listens. */
export function torchrunArguments({ processes, launch }: Torchrun, id: string, main: boolean): string[] {
  if (!launch && processes === 1) return [];
  const where = launch
    ? [
        ...["--nnodes", String(launch.nodes), "--max-restarts", String(launch.restarts)],
        ...["--rdzv-backend", "c10d", "--rdzv-endpoint", launch.rendezvous, "--rdzv-id", id],
        ...["--local-addr", launch.address],
        // Else torchrun guesses by the host's name who opens the port.
        ...["--rdzv-conf", `is_host=${main ? 1 : 0}`],
      ]
    : ["--standalone"];
  return ["-m", "torch.distributed.run", ...where, "--nproc-per-node", String(processes)];
}

/** Tells a trainer on which node it is (launched.py), and Gloo by which device the others are reached. */
export function nodeEnvironment({ launch }: Torchrun, main: boolean): NodeJS.ProcessEnv {
  if (!launch) return {};
  const device = process.env.GLOO_SOCKET_IFNAME ?? launch.device;
  return {
    LEAF_NODE: main ? "main" : "joined",
    // With a shared store torchrun tells a node that comes later not where it is, and the node waits in vain (PyTorch 2.13).
    TORCH_DISABLE_SHARE_RDZV_TCP_STORE: "1",
    ...(device && { GLOO_SOCKET_IFNAME: device }),
  };
}

/** Which distillation the other nodes are waited for; it is there only meanwhile, or where its process was killed. */
export const launchFile = (project: Pick<Project, "leaf">) => path.join(project.leaf, "launch.json");

/** Waits until the main node begins a training: the key of its stage. Throws LeafError `cancelled`, and `input` for another version of LEAF. */
export async function awaitLaunch(
  project: Pick<Project, "leaf">,
  own: string,
  { signal, everyMs = 1000 }: { signal?: AbortSignal; everyMs?: number } = {},
): Promise<string> {
  const file = launchFile(project);
  for (;;) {
    const note = await readJsonAs(file, launchNote);
    if (note && note.leaf !== own)
      throw new LeafError(
        "input",
        say`The main node has LEAF ${note.leaf}, this one ${own}: they must be the same.`,
        { file, remedy: say`Install the same version on all nodes.` },
      );
    if (note) return note.key;
    await delay(everyMs, undefined, { signal }).catch(() => {
      throw new LeafError("cancelled", say`Cancelled.`);
    });
  }
}

/** Takes part in the training that the main node runs, until that ends. Throws LeafErrors `config`, `environment`, `consent`, `failed`. */
export async function joinTraining(
  project: Project,
  options: { signal?: AbortSignal; onJoin?: (key: string) => void },
): Promise<string> {
  const { processes } = project.config.distill;
  const launch = launchOf(project);
  if (!launch)
    throw new LeafError("config", say`This config trains on one machine.`, {
      file: project.configFile,
      remedy: say`Set \`distill.launch\` (docs/scale.md).`,
    });
  requireApproved(consentItems(project, "distill"));
  const interpreter = resolveInterpreter(project.config.python.interpreter, project.root);
  const key = await awaitLaunch(project, version, options);
  options.onJoin?.(key);
  const dir = stageDir(project, "distill", key);
  const torchrun = { processes, launch: { ...launch, ...(await nodeAddress(launch.rendezvous)) } };
  const log = path.join(dir, `trainer-${hostname().replaceAll(/[^\w.-]/g, "_")}.log`);
  const kept = createWriteStream(log, { flags: "a" });
  kept.on("error", () => {}); // A log that cannot be written must not end the training.
  const args = [...torchrunArguments(torchrun, key, false), "-m", "leaf", path.join(dir, "job.json")];
  const { code, error, stderr } = await runChild(interpreter, args, {
    cwd: dir,
    env: { ...trainerEnvironment(), ...nodeEnvironment(torchrun, false), LEAF_PARENT_PIPE: "1" },
    stdin: "pipe",
    signal: options.signal,
    onLine: (line) => kept.write(`${redact(line)}\n`),
    onStderr: (text) => kept.write(redact(text)),
  });
  kept.end();
  if (error) throw cannotStart(interpreter, error);
  if (code === 0) return key;
  throw (
    lackedModule(interpreter, stderr) ??
    new LeafError("failed", say`The training ended early: ${lastLine(stderr) || say`it said nothing`}.`, {
      file: log,
      remedy: say`Run the main node again, and \`leaf join\` here: it goes on from the last checkpoint.`,
    })
  );
}
