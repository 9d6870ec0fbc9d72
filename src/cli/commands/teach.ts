import type { Command } from "commander";
import { teach } from "../../engine/cluster/teach.ts";
import type { Run } from "../run.ts";

/** What a worker of a cluster starts, to have a teacher of its own; not for people, who have `leaf label`. */
export function addTeachCommand(program: Command, run: Run): void {
  program
    .command("teach", { hidden: true })
    .action((_flags, command) =>
      run(({ signal }) => teach(process.stdin, (line) => process.stdout.write(`${line}\n`), signal))(command),
    );
}
