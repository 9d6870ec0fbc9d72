import { describe, expect, it } from "vitest";
import type { SecretStorage } from "vscode";
import { consentText } from "../../src/extension/consentText.ts";
import { bindOldKey, forgetTeacherKey, storeTeacherKey, teacherKeys } from "../../src/extension/keys.ts";
import { quoted } from "../../src/words/text.ts";
import { english as t } from "../../src/words/translate.ts";

/** The editor's storage, as far as it is used; it cannot run here. */
function storage(kept: Record<string, string> = {}) {
  const values = new Map(Object.entries(kept));
  const secrets = {
    keys: async () => [...values.keys()],
    get: async (name: string) => values.get(name),
    store: async (name: string, value: string) => void values.set(name, value),
    delete: async (name: string) => void values.delete(name),
  };
  return { values, secrets: secrets as unknown as SecretStorage };
}

describe("keys in the editor", () => {
  it("are kept for one origin each", async () => {
    const { secrets } = storage();
    await storeTeacherKey(secrets, "https://a.example", "a");
    await storeTeacherKey(secrets, "https://b.example:8443", "b");
    expect(await teacherKeys(secrets)).toEqual({ "https://a.example": "a", "https://b.example:8443": "b" });
    await forgetTeacherKey(secrets, "https://a.example");
    expect(await teacherKeys(secrets)).toEqual({ "https://b.example:8443": "b" });
  });

  it("of an earlier version go to no one before the user has said to whom", async () => {
    for (const answer of ["use", "forget", undefined] as const) {
      const { secrets, values } = storage({ "leaf.teacherKey": "old" });
      expect(await teacherKeys(secrets)).toEqual({});
      const asked: string[] = [];
      const going = await bindOldKey(secrets, ["https://a.example"], async (origin) => {
        asked.push(origin);
        return answer;
      });
      expect(asked).toEqual(["https://a.example"]);
      expect(going).toBe(answer !== undefined);
      expect(await teacherKeys(secrets)).toEqual(answer === "use" ? { "https://a.example": "old" } : {});
      expect(values.has("leaf.teacherKey")).toBe(answer === undefined);
    }
  });

  it("are asked about only where one is wanted", async () => {
    const never = () => Promise.reject(new Error("asked"));
    expect(await bindOldKey(storage({ "leaf.teacherKey": "old" }).secrets, [], never)).toBe(true);
    expect(await bindOldKey(storage().secrets, ["https://a.example"], never)).toBe(true);
    const both = { "leaf.teacherKey": "old", "leaf.teacherKey:https://a.example": "new" };
    expect(await bindOldKey(storage(both).secrets, ["https://a.example"], never)).toBe(true);
  });
});

it("what is asked before a run says what exactly, and where it is written", () => {
  const item = {
    kind: "server" as const,
    digest: "d",
    title: "Start the teacher's server",
    words: quoted("Start the teacher's server"),
    details: ["./serve.sh {port}", "in /home/ana/p"],
    detailWords: [],
    path: ["teacher", "serve"],
    file: "/home/ana/p/leaf.yaml",
    line: 7,
  };
  expect(consentText([item], t).detail).toBe(
    "Start the teacher's server\n./serve.sh {port}\nin /home/ana/p\nNamed in leaf.yaml:7\n\nYour answer is kept on this computer. You are asked again when it changes.",
  );
});
