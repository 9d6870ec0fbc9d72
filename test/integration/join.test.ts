import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { version } from "../../src/engine/base/version.ts";
import { leaf, startLeaf, temporaryFolder } from "./workspace.ts";

// What a node does until torchrun has it; src/python/tests/test_nodes.py has the training itself. Python here tells how it was started.
const { dir, remove } = temporaryFolder();
afterAll(remove);
const rendezvous = { LEAF_RENDEZVOUS: "127.0.0.1:29500" };

function project(name: string, lines: string): string {
  const root = path.join(dir, name);
  mkdirSync(path.join(root, "photos"), { recursive: true });
  writeFileSync(path.join(root, "leaf.yaml"), `images: photos\nteacher: { kind: embedded }\n${lines}\n`);
  return root;
}

/** `ends`: shell that comes last. */
function python(root: string, ends: string): NodeJS.ProcessEnv {
  const file = path.join(root, "python.sh");
  const told = ["LEAF_NODE", "LEAF_PARENT_PIPE", "GLOO_SOCKET_IFNAME"].map((name) => `echo "$${name}"`);
  writeFileSync(
    file,
    `#!/bin/sh\n{ pwd; printf '%s\\n' "$*"; ${told.join("; ")}; } > "${root}/told"\n${ends}\n`,
  );
  chmodSync(file, 0o755);
  return { ...process.env, ...rendezvous, LEAF_PYTHON: file };
}

function begin(root: string, leafVersion: string): string {
  const stage = path.join(root, ".leaf", "stages", "distill", "abc123");
  mkdirSync(stage, { recursive: true });
  const note = { v: 1, leaf: leafVersion, key: "abc123" };
  writeFileSync(path.join(root, ".leaf", "launch.json"), JSON.stringify(note));
  return stage;
}

describe.skipIf(process.platform === "win32")("leaf join", () => {
  test("waits for a training, takes part by torchrun, and ends with it", async () => {
    const root = project("joins", "distill: { processes: 2, launch: { nodes: '2:4', restarts: 1 } }");
    const { child, done } = startLeaf(root, ["join", "--json"], python(root, "echo a line"));
    await new Promise<void>((resolve) =>
      child.stderr!.on("data", (text: string) => text.includes("Waits for a training") && resolve()),
    );
    expect(existsSync(path.join(root, "told"))).toBe(false);
    const stage = begin(root, version);
    const { code, stdout, stderr } = await done;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("Takes part in distill abc123."),
    });
    expect(JSON.parse(stdout)).toEqual({ key: "abc123" });
    const [cwd, args, node, pipe, device] = readFileSync(path.join(root, "told"), "utf8").split("\n");
    expect(path.basename(cwd!)).toBe("abc123");
    expect(args).toBe(
      [
        "-m torch.distributed.run --nnodes 2:4 --max-restarts 1 --rdzv-backend c10d",
        "--rdzv-endpoint 127.0.0.1:29500 --rdzv-id abc123 --local-addr 127.0.0.1 --rdzv-conf is_host=0",
        `--nproc-per-node 2 -m leaf ${path.join(stage, "job.json")}`,
      ].join(" "),
    );
    expect([node, pipe, Boolean(device)]).toEqual(["joined", "1", true]);
  });

  test("tells in one sentence what keeps it from joining", async () => {
    const alone = await leaf(project("alone", "distill: { epochs: 2 }"), "join");
    expect(alone).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("This config trains on one machine."),
    });

    const root = project("fails", "distill: { launch: { nodes: 2 } }");
    begin(root, "0.0.1");
    const env = python(root, "echo 'ValueError: no' >&2; exit 1");
    const other = await startLeaf(root, ["join"], env).done;
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("The main node has LEAF 0.0.1") });
    begin(root, version);
    const failed = await startLeaf(root, ["join"], env).done;
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("The training ended early: ValueError: no.");
    expect(failed.stderr).toContain("Run the main node again, and `leaf join` here");
  });

  test("stops while it waits", async () => {
    const root = project("stops", "distill: { launch: { nodes: 2 } }");
    const { child, done } = startLeaf(root, ["join"], python(root, ""));
    child.stderr!.on("data", (text: string) => text.includes("Waits for") && child.kill("SIGINT"));
    expect((await done).code).toBe(130);
    expect(existsSync(path.join(root, "told"))).toBe(false);
  });
});
