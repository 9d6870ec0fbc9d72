import { expect, test } from "vitest";
import { kill, leafProcesses, processesOf } from "./support/processes.ts";
import { useSession } from "./support/session.ts";
import { until } from "./support/until.ts";
import { projectFolder } from "./support/workspace.ts";

const session = useSession(() => projectFolder(24));

test("when VS Code dies, LEAF's processes end by themselves", async () => {
  const { server, workbench, editor } = session();
  await workbench.openFile("leaf.yaml");
  await editor.clickLens(/Run all/, () => editor.waitForLens(/Stop · /, 10_000));
  await editor.waitForLens(/Stop · epoch \d+/, 120_000);
  const leaf = leafProcesses(server.id);
  const kinds = ["server.js", "cli.js job", "-m leaf"];
  for (const kind of kinds) expect(leaf.map(({ command }) => command).join("\n")).toContain(kind);
  // As by a crash or the out-of-memory killer: nobody says goodbye.
  kill(
    processesOf(server.id).filter(
      ({ command }) => command.includes("code-server") && !/server\.js/.test(command),
    ),
  );
  const died = Date.now();
  await until("LEAF's processes to end", () => leafProcesses(server.id).length === 0, 120_000);
  console.log(`LEAF's processes ended ${((Date.now() - died) / 1000).toFixed(1)} s after VS Code`);
});
