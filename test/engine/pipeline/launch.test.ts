import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/engine/config/read.ts";
import {
  awaitLaunch,
  launchFile,
  launchOf,
  nodeEnvironment,
  torchrunArguments,
} from "../../../src/engine/pipeline/launch.ts";
import { nodeAddress } from "../../../src/engine/pipeline/nodeAddress.ts";

const leaf = mkdtempSync(path.join(tmpdir(), "leaf-launch-"));
afterAll(() => rmSync(leaf, { recursive: true, force: true }));

const launch = { nodes: "2:4", rendezvous: "node-1:29500", restarts: 3, address: "10.0.0.1" };

describe("how training is started", () => {
  it("needs no torchrun for one process", () => {
    expect(torchrunArguments({ processes: 1 }, "k", true)).toEqual([]);
    expect(nodeEnvironment({ processes: 1 }, true)).toEqual({});
  });

  it("is torchrun on one machine for several", () => {
    const args = torchrunArguments({ processes: 2 }, "k", true);
    expect(args).toEqual(["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]);
  });

  it("says the same on all nodes but who opens the port and who tells", () => {
    const main = torchrunArguments({ processes: 1, launch }, "k", true).join(" ");
    expect(main).toBe(
      "-m torch.distributed.run --nnodes 2:4 --max-restarts 3 --rdzv-backend c10d --rdzv-endpoint node-1:29500 --rdzv-id k --local-addr 10.0.0.1 --rdzv-conf is_host=1 --nproc-per-node 1",
    );
    const joined = torchrunArguments({ processes: 1, launch }, "k", false).join(" ");
    expect(joined).toBe(main.replace("is_host=1", "is_host=0"));
    expect(nodeEnvironment({ processes: 1, launch }, true)).toMatchObject({ LEAF_NODE: "main" });
    expect(nodeEnvironment({ processes: 1, launch }, false)).toMatchObject({ LEAF_NODE: "joined" });
  });
});

describe("this machine's address towards the others", () => {
  it("is that of the way to the main node", async () => {
    const { address, device } = await nodeAddress("127.0.0.1:29500");
    expect(address).toBe("127.0.0.1");
    expect(networkInterfaces()[device!]?.map((one) => one.address)).toContain("127.0.0.1");
    expect((await nodeAddress("localhost:29500")).address).toMatch(/^(127\.|::1$)/);
  });

  it("is unknown where there is no such machine", async () => {
    await expect(nodeAddress("none.invalid:29500")).rejects.toThrow(/none\.invalid:29500 cannot be reached/);
  });
});

describe("a node that joins", () => {
  const note = (value: unknown) => writeFileSync(launchFile({ leaf }), JSON.stringify(value));

  it("waits until there is a training, whatever else lies there", async () => {
    const controller = new AbortController();
    const waiting = awaitLaunch({ leaf }, "0.1.0", { signal: controller.signal, everyMs: 1 });
    writeFileSync(launchFile({ leaf }), "{");
    note({ v: 1, leaf: "0.1.0", key: "../../etc" });
    note({ v: 1, leaf: "0.1.0", key: "abc" });
    expect(await waiting).toBe("abc");
  });

  it("refuses another version of LEAF, and can be stopped", async () => {
    note({ v: 1, leaf: "0.2.0", key: "abc" });
    await expect(awaitLaunch({ leaf }, "0.1.0")).rejects.toThrow(
      "The main node has LEAF 0.2.0, this one 0.1.0: they must be the same.",
    );
    rmSync(launchFile({ leaf }));
    const waiting = awaitLaunch({ leaf }, "0.1.0", { signal: AbortSignal.timeout(20), everyMs: 5 });
    await expect(waiting).rejects.toThrow(expect.objectContaining({ code: "cancelled" }));
  });
});

describe("where the nodes meet", () => {
  const project = (text: string) => {
    const read = parseConfig(`images: a\nteacher: { kind: embedded }\ndistill: { ${text} }\n`);
    if (!read.ok) throw new Error("no config");
    return { config: read.config, configFile: "leaf.yaml" };
  };
  const named = project("launch: { nodes: 2, rendezvous: 'a:1' }");

  it("is said by the environment, else by the config", () => {
    expect(launchOf(named, {})).toEqual({ nodes: 2, rendezvous: "a:1", restarts: 3 });
    expect(launchOf(named, { LEAF_RENDEZVOUS: "node-7:2 " })?.rendezvous).toBe("node-7:2");
    expect(launchOf(project("epochs: 2"), { LEAF_RENDEZVOUS: "a:1" })).toBeUndefined();
  });

  it("must be said, as a host with a port", () => {
    expect(() => launchOf(project("launch: { nodes: 2 }"), {})).toThrow(/Nothing says where the nodes meet/);
    expect(() => launchOf(named, { LEAF_RENDEZVOUS: "--no-python" })).toThrow(/no host with a port/);
  });
});

describe("distill.launch", () => {
  const problems = (text: string) => {
    const read = parseConfig(
      `images: a\nteacher: { kind: transformers, model: m }\ndistill: { launch: ${text} }\n`,
    );
    return read.ok ? [] : read.problems.map(({ message }) => message);
  };

  it("is torchrun's own", () => {
    expect(problems("{ nodes: 2, rendezvous: 'node-1.cluster:29500' }")).toEqual([]);
    expect(problems("{ nodes: '2:4', rendezvous: '[fd00::1]:29500', restarts: 0 }")).toEqual([]);
  });

  it.each([
    "{ nodes: 0, rendezvous: 'a:1' }",
    "{ nodes: '4:2', rendezvous: 'a:1' }",
    "{ nodes: '2-4', rendezvous: 'a:1' }",
    "{ nodes: 2, rendezvous: a }",
    "{ nodes: 2, rendezvous: '--x:1 --no-python' }",
  ])("refuses %s", (text) => expect(problems(text)).not.toEqual([]));
});
