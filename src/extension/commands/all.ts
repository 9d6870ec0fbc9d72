import { commands, type Disposable } from "vscode";
import { tellingFailures } from "../failures.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { demoCommands } from "./demo.ts";
import { dryRunCommands } from "./dryRun.ts";
import { environmentCommands } from "./environment.ts";
import { experimentCommands } from "./experiments.ts";
import { exportCommands } from "./exports.ts";
import { newConfigCommands } from "./newConfig.ts";
import { panelCommands } from "./panelCommands.ts";
import { reportCommands } from "./report.ts";
import { scoreCommands } from "./score.ts";
import { secretCommands } from "./secrets.ts";
import { serverCommands } from "./server.ts";
import { stageCommands } from "./stages.ts";

/** All commands of src/protocol/commands.ts. */
export function registerCommands(leaf: Leaf): Disposable[] {
  const groups = [
    newConfigCommands,
    demoCommands,
    stageCommands,
    dryRunCommands,
    panelCommands,
    scoreCommands,
    environmentCommands,
    secretCommands,
    experimentCommands,
    exportCommands,
    reportCommands,
    serverCommands,
  ];
  return groups.flatMap((group) => register(group(leaf)));
}

export function register(handlers: Handlers): Disposable[] {
  return Object.entries(handlers).map(([id, handler]) =>
    commands.registerCommand(id, (...args: unknown[]) => tellingFailures(async () => handler(...args))),
  );
}
