import path from "node:path";
import { describe, expect, it } from "vitest";
import { defaultSettings, environmentOf } from "../../src/server/settings.ts";

const of = (settings: Partial<typeof defaultSettings>, inherited: Record<string, string> = {}) => {
  const told = Object.entries(environmentOf({ ...defaultSettings, ...settings }, inherited));
  return Object.fromEntries(told.filter(([, value]) => value !== undefined));
};

describe("the environment of what the server starts", () => {
  it("is the inherited one where no setting says otherwise", () => {
    const inherited = {
      LEAF_PYTHON: "/usr/bin/python3",
      HTTPS_PROXY: "http://p:1",
      NO_PROXY: "a",
      LEAF_ALLOWED_KEY_ENV: "X",
    };
    expect(of({})).toEqual({});
    expect(of({}, inherited)).toEqual(inherited);
  });

  it("has the editor's proxy in place of another, for all that the server starts", () => {
    const proxy = "http://editor:3128";
    expect(
      of({ proxy, noProxy: ["b.example"] }, { https_proxy: "http://old:1", NO_PROXY: "a.example" }),
    ).toEqual({
      http_proxy: proxy,
      HTTP_PROXY: proxy,
      https_proxy: proxy,
      HTTPS_PROXY: proxy,
      no_proxy: "a.example,b.example",
      NO_PROXY: "a.example,b.example",
    });
  });

  it("has the user's word on keys and addresses, and a Python that no folder can move", () => {
    expect(
      of({ allowedKeyVariables: ["CORP_TOKEN"], allowLinkLocal: true, pythonInterpreter: "venv/bin/python" }),
    ).toEqual({
      LEAF_ALLOWED_KEY_ENV: "CORP_TOKEN",
      LEAF_ALLOW_LINK_LOCAL: "1",
      LEAF_PYTHON: path.resolve("venv/bin/python"),
    });
  });
});
