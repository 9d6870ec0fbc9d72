import { describe, expect, it } from "vitest";
import {
  isHostMethod,
  isInside,
  panelCommand,
  panelMessage,
  panelState,
} from "../../src/extension/panel/gate.ts";
import { panelHtml, panelOutline } from "../../src/extension/panel/html.ts";
import { panelMethods } from "../../src/protocol/panel.ts";
import { english } from "../../src/words/translate.ts";

describe("messages of the panel's page", () => {
  it("pass for the known methods alone", () => {
    const request = (method: unknown, id: unknown = 1) => ({ type: "request", id, method, params: { a: 1 } });
    for (const method of panelMethods) expect(panelMessage(request(method))).toEqual(request(method));
    expect(panelMessage(request("host/copy"))).toEqual(request("host/copy"));
    for (const method of ["leaf/start", "leaf/newDemo", "leaf/export", "shutdown", "toString", null, 3])
      expect(panelMessage(request(method)), String(method)).toBeNull();
    expect(panelMessage(request("leaf/images", "1"))).toBeNull();
    for (const value of [null, undefined, 4, "ready", {}, { type: "init" }, []])
      expect(panelMessage(value)).toBeNull();
    expect(panelMessage({ type: "ready", more: 1 })).toEqual({ type: "ready" });
  });

  it("tell host requests from those of the server", () => {
    expect(isHostMethod("host/save")).toBe(true);
    expect(isHostMethod("leaf/rate")).toBe(false);
  });

  it("keep a state that is one", () => {
    const state = { config: "file:///w/leaf.yaml", tab: "pairs", tabs: { pairs: { show: "kept" } } };
    expect(panelState(state)).toEqual(state);
    expect(panelState({ tab: "nowhere" })).toBeNull();
    expect(panelState({ tab: "run", config: 3, tabs: null })).toEqual({ config: null, tab: "run", tabs: {} });
    expect(panelState(undefined)).toBeNull();
  });

  it("run LEAF's commands and no others", () => {
    expect(panelCommand({ command: "leaf.calibrate", config: "c" })).toEqual({
      command: "leaf.calibrate",
      args: ["c", undefined],
    });
    expect(panelCommand({ command: "leaf.score", config: "c", argument: ["file:///a.png"] })).toEqual({
      command: "leaf.score",
      args: [["file:///a.png"]],
    });
    for (const command of ["workbench.action.terminal.new", "leaf.deleteRun", "vscode.open", "__proto__"])
      expect(panelCommand({ command, config: null }), command).toBeNull();
  });

  it("open only files of the workspace", () => {
    const folders = ["file:///w/one", "file:///w/two/"];
    expect(isInside("file:///w/one/a/b.png", folders)).toBe(true);
    expect(isInside("file:///w/two/b.png", folders)).toBe(true);
    expect(isInside("file:///w/one-more/b.png", folders)).toBe(false);
    expect(isInside("file:///w/one/../secret", folders)).toBe(false);
    expect(isInside("file:///w/one/%2E%2e/secret", folders)).toBe(false);
    expect(isInside("https://e.vil/a.png", folders)).toBe(false);
    expect(isInside("file:///w/one", folders)).toBe(false);
  });
});

describe("the panel's page", () => {
  const html = panelHtml({
    nonce: "abc",
    cspSource: "https://*.vscode-cdn.net",
    script: 'https://x/panel.js?a="b"',
    styles: ["https://x/panel.css"],
    title: "LEAF IQA",
    language: "en",
    outline: panelOutline(english, [{ name: "<b>leaf.yaml" }]),
  });

  it("runs its one script by the nonce and nothing else", () => {
    const [, written] = /Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    const policy = written!.replaceAll("&#39;", "'");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'nonce-abc'");
    expect(policy).not.toMatch(/unsafe|script-src[^;]*https/);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/ on\w+=|style="/);
  });

  it("shows the tabs before its script has run, where there will be some", () => {
    const outline = panelOutline((message) => `${message}!`, [{ name: "leaf.yaml" }, { name: "other" }]);
    expect(outline.replace(/<[^>]*>/g, " ")).toMatch(
      /Run! +Pairs! +Metrics! +Gallery! +Rate! +Runs! +leaf.yaml/,
    );
    expect(panelOutline(english, [])).toBe("");
  });

  it("escapes what it is given", () => {
    expect(html).toContain('src="https://x/panel.js?a=&#34;b&#34;"');
    expect(html).toContain("&#60;b&#62;leaf.yaml");
  });
});
