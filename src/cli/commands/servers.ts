import path from "node:path";
import type { Command } from "commander";
import { LeafError } from "../../engine/base/errors.ts";
import { parseAs } from "../../engine/base/json.ts";
import { knowSecrets, secretsOf } from "../../engine/base/redact.ts";
import { listServers, stopServers } from "../../engine/teachers/serve/list.ts";
import { placeholderValues, type ServerSpec } from "../../engine/teachers/serve/spec.ts";
import { supervise } from "../../engine/teachers/serve/supervise.ts";
import { serverSpec } from "../../protocol/schema/servers.ts";
import type { ServerListing } from "../../protocol/servers.ts";
import { duration } from "../../words/duration.ts";
import { say } from "../../words/text.ts";
import { english } from "../../words/translate.ts";
import { findProject, table } from "../context.ts";
import type { Run } from "../run.ts";

export function addServersCommand(program: Command, run: Run, signal: AbortSignal): void {
  program
    .command("servers")
    .description("list or stop the teacher servers that LEAF started (`teacher.serve`)")
    .argument("[action]", "`stop`, or nothing to list them")
    .argument("[which]", "with `stop`: key or model of a server, or `all`; needed if several run")
    .action((action: string | undefined, which: string | undefined, _options, command: Command) =>
      run(async (context) => {
        const servers = path.join((await findProject(context)).leaf, "servers");
        if (action === undefined) {
          const listed = await listServers(servers);
          context.print({ servers: listed }, listed.length ? listing(listed) : "No servers.");
        } else if (action === "stop") {
          const result = await stopServers(servers, which);
          const n = result.stopped.length;
          context.print(
            result,
            n === 0 ? "No server runs." : `Stopped ${n} ${n === 1 ? "server" : "servers"}.`,
          );
        } else
          command.error(`error: unknown action '${action}'; did you mean \`leaf servers stop ${action}\`?`);
      })(command),
    );
  // The process that looks after a server; not for people.
  program
    .command("supervise", { hidden: true })
    .argument("<folder>", "folder of the server under .leaf/servers; what to start comes on stdin")
    .action(async (folder: string) => {
      const spec = specOf(await allOf(process.stdin));
      knowSecrets([...secretsOf(spec.env, spec.command), ...placeholderValues(spec)]);
      await supervise(folder, spec, signal);
    });
}

function specOf(text: string): ServerSpec {
  const read = parseAs<ServerSpec>(text, serverSpec);
  if (read.ok) return read.value;
  throw new LeafError("usage", say`This is no server to look after: ${read.why}.`, {
    remedy: say`\`leaf label\` starts one by itself.`,
  });
}

async function allOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function listing(servers: ServerListing[]): string {
  const rows = servers.map((one) => [
    one.key.slice(0, 8),
    one.model,
    one.note && one.phase !== "ready" ? `${one.phase}: ${one.note}` : one.phase,
    one.pid === null ? "–" : one.endpoint,
    one.pid === null ? "–" : usage(one),
    one.log,
  ]);
  const text = table(["server", "model", "state", "endpoint", "use", "log"], rows);
  const failures = servers.flatMap((one) =>
    one.phase === "failed" && one.failure ? [`${one.key.slice(0, 8)}: ${one.failure.message}`] : [],
  );
  return [text, ...failures].join("\n");
}

/** `used by process 12`, or how long it stays without a user. */
function usage({ users, idleSince, idleMinutes }: ServerListing): string {
  if (users.length > 0) return `used by process ${users.join(", ")}`;
  const idle = idleSince === null ? 0 : (Date.now() - Date.parse(idleSince)) / 1000;
  return `idle, stops in ${duration(english, idleMinutes * 60 - idle)}`;
}
