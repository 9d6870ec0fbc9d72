import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../../src/extension/client.ts";
import type { Leaf } from "../../src/extension/leaf.ts";
import type { ProjectSnapshot } from "../../src/protocol/project.ts";
import { project } from "./samples.ts";

// The editor as far as views, status bar and pickers of configs need it.
const editor = vi.hoisted(() => {
  const listeners: (() => void)[] = [];
  return {
    active: undefined as string | undefined,
    trees: {} as Record<
      string,
      { getChildren(node?: unknown): unknown; getTreeItem(node: unknown): unknown }
    >,
    items: {} as Record<string, { text: string; tooltip: string; command: string; shown: boolean }>,
    commands: {} as Record<string, (...args: unknown[]) => unknown>,
    picks: [] as { label: string; config: string }[],
    pick: undefined as string | undefined,
    listeners,
    open(config: string) {
      this.active = config;
      for (const listener of listeners) listener();
    },
  };
});

vi.mock("vscode", () => {
  class EventEmitter<T> {
    #listeners: ((value: T) => void)[] = [];
    event = (listener: (value: T) => void) => {
      this.#listeners.push(listener);
      return { dispose() {} };
    };
    fire(value: T) {
      for (const listener of this.#listeners) listener(value);
    }
    dispose() {}
  }
  class TreeItem {
    label: string;
    collapsibleState: number;
    constructor(label: string, collapsibleState: number) {
      this.label = label;
      this.collapsibleState = collapsibleState;
    }
  }
  return {
    EventEmitter,
    TreeItem,
    ThemeIcon: class {},
    ThemeColor: class {},
    MarkdownString: class {},
    Uri: { parse: (text: string) => ({ toString: () => text }) },
    TreeItemCollapsibleState: { None: 0, Collapsed: 1, Expanded: 2 },
    StatusBarAlignment: { Left: 1, Right: 2 },
    l10n: { t: (text: string, ...values: string[]) => text.replace("{0}", values[0] ?? "") },
    commands: {
      executeCommand: async () => {},
      registerCommand(id: string, handler: () => unknown) {
        editor.commands[id] = handler;
        return { dispose() {} };
      },
    },
    window: {
      get activeTextEditor() {
        return editor.active && { document: { uri: { toString: () => editor.active } } };
      },
      onDidChangeActiveTextEditor(listener: () => void) {
        editor.listeners.push(listener);
        return { dispose() {} };
      },
      tabGroups: {
        activeTabGroup: {},
        onDidChangeTabs: () => ({ dispose() {} }),
        onDidChangeTabGroups: () => ({ dispose() {} }),
      },
      createTreeView(id: string, { treeDataProvider }: { treeDataProvider: (typeof editor.trees)[string] }) {
        editor.trees[id] = treeDataProvider;
        return { dispose() {} };
      },
      createStatusBarItem(id: string) {
        const item = {
          text: "",
          tooltip: "",
          command: "",
          shown: false,
          show() {
            item.shown = true;
          },
          hide() {
            item.shown = false;
          },
          dispose() {},
        };
        editor.items[id] = item;
        return item;
      },
      async showQuickPick(items: typeof editor.picks) {
        editor.picks = items;
        return items.find(({ config }) => config === editor.pick);
      },
    },
  };
});

const uriOf = (name: string) => `file:///w/${name}.leaf.yaml`;
const six = ["a", "b", "c", "d", "e", "f"].map((name) =>
  project({ config: uriOf(name), name: `${name}.leaf.yaml` }),
);

async function start(projects: ProjectSnapshot[], remembered: string | null = null) {
  const { createState } = await import("../../src/extension/projects/state.ts");
  const { statusBar } = await import("../../src/extension/projects/statusBar.ts");
  const { pickProject } = await import("../../src/extension/projects/picker.ts");
  const { newConfigCommands } = await import("../../src/extension/commands/newConfig.ts");
  const { imagesTree } = await import("../../src/extension/views/imagesTree.ts");
  const { pipelineTree } = await import("../../src/extension/views/pipelineTree.ts");
  const { runsTree } = await import("../../src/extension/views/runsTree.ts");
  const memory = { kept: remembered as unknown };
  const workspaceState = {
    get: (key: string, fallback: unknown) => (key === "leaf.currentConfig" ? memory.kept : fallback),
    async update(_: string, value: unknown) {
      memory.kept = value;
    },
    keys: () => [],
  };
  const none = () => ({ dispose() {} });
  let told: (changed: { projects: ProjectSnapshot[] }) => void = () => {};
  const client = {
    on(method: string, listener: typeof told) {
      if (method === "leaf/changed") told = listener;
      return none();
    },
    onStarting: none,
    onReady: none,
    onBroken: none,
    isRunning: () => true,
    request: async () => projects,
  } as unknown as Client;
  const state = createState(client, workspaceState as never);
  const leaf = { client, state, context: { workspaceState } } as unknown as Leaf;
  statusBar(leaf);
  pipelineTree(leaf);
  imagesTree(leaf);
  runsTree(leaf);
  told({ projects });
  return { state, memory, pickProject, handlers: newConfigCommands(leaf), tell: told };
}

/** The rows at the top of a view: name, and whether the editor opens it when it first sees its id. */
async function rows(view: string): Promise<{ id: string; label: string; open: boolean }[]> {
  const tree = editor.trees[view]!;
  return ((await tree.getChildren()) as unknown[]).map((node) => {
    const item = tree.getTreeItem(node) as { id: string; label: string; collapsibleState: number };
    return { id: item.id, label: item.label, open: item.collapsibleState === 2 };
  });
}
const views = ["leaf.pipeline", "leaf.images", "leaf.runs"];

beforeEach(() => {
  editor.active = undefined;
  editor.pick = undefined;
  editor.picks = [];
  editor.listeners.length = 0;
});

describe("a folder with six configs", () => {
  it.each(views)(
    "shows the one of the active editor first and open in %s, the others closed",
    async (view) => {
      await start(six);
      editor.open(uriOf("d"));
      const shown = await rows(view);
      expect(shown.map(({ label }) => label[0])).toEqual(["d", "a", "b", "c", "e", "f"]);
      expect(shown.map(({ open }) => open)).toEqual([true, false, false, false, false, false]);
    },
  );

  it.each(views)(
    "gives in %s a row another id when it comes first, for the editor to open it",
    async (view) => {
      await start(six);
      editor.open(uriOf("d"));
      const before = (await rows(view)).find(({ label }) => label.startsWith("e"))!;
      editor.open(uriOf("e"));
      const after = await rows(view);
      expect(after[0]!.label).toBe(before.label);
      expect(after[0]!.id).not.toBe(before.id);
      // The rest stays as people left it.
      expect(after.slice(1).map(({ id }) => id)).toEqual("abcdf".split("").map(uriOf));
    },
  );

  it("keeps the last one while another file is open, and remembers it", async () => {
    const { state, memory } = await start(six);
    editor.open(uriOf("c"));
    editor.open("file:///w/readme.md");
    expect(state.current()).toBe(uriOf("c"));
    const { state: again } = await start(six, memory.kept as string);
    expect(again.current()).toBe(uriOf("c"));
    expect((await rows("leaf.runs"))[0]).toMatchObject({ label: "c.leaf.yaml", open: true });
  });

  it("takes a config that was open before the server knew it", async () => {
    const { state, tell } = await start(six);
    state.use(uriOf("a"));
    editor.open("file:///w/g.leaf.yaml");
    expect(state.current()).toBe(uriOf("a"));
    tell({ projects: [...six, project({ config: "file:///w/g.leaf.yaml" })] });
    expect(state.current()).toBe("file:///w/g.leaf.yaml");
    tell({ projects: six });
    expect(state.current()).toBeNull();
  });

  it("is named in the status bar, where a click has another one picked", async () => {
    const { state, handlers } = await start(six);
    const item = editor.items["leaf.config"]!;
    expect(item).toMatchObject({
      shown: true,
      command: "leaf.switchConfig",
      text: "$(file-code) Which config?",
    });
    editor.open(uriOf("b"));
    expect(item.text).toBe("$(file-code) b.leaf.yaml");
    editor.pick = uriOf("f");
    await handlers["leaf.switchConfig"]!();
    expect(editor.picks.map(({ config }) => config)).toEqual("bacdef".split("").map(uriOf));
    expect(editor.picks[0]!.label).toBe("$(check) b.leaf.yaml");
    expect(item.text).toBe("$(file-code) f.leaf.yaml");
    expect(state.current()).toBe(uriOf("f"));
  });

  it("is asked for by the first command, and not by the next", async () => {
    const { state, pickProject } = await start(six);
    editor.pick = uriOf("e");
    expect(await pickProject(state, undefined)).toBe(uriOf("e"));
    editor.picks = [];
    expect(await pickProject(state, undefined)).toBe(uriOf("e"));
    expect(editor.picks).toEqual([]);
    // A command that is about another one makes that the current one.
    expect(await pickProject(state, { config: uriOf("a") })).toBe(uriOf("a"));
    expect(state.current()).toBe(uriOf("a"));
  });

  it("says nothing in the status bar where there is one config alone", async () => {
    await start(six.slice(0, 1));
    expect(editor.items["leaf.config"]!.shown).toBe(false);
  });
});
