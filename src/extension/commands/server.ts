import { commandIds } from "../../protocol/commands.ts";
import type { Handlers, Leaf } from "../leaf.ts";
import { log } from "../log.ts";

export function serverCommands({ client }: Leaf): Handlers {
  return {
    [commandIds.showLog]: () => log().show(),
    [commandIds.restartServer]: () => client.restart(),
  };
}
