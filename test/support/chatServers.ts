import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach } from "vitest";
import { type ChatServer, startChatServer } from "./chatServer.ts";

/** For the tests of a file: a folder of its own, and servers and teachers that are closed after the test that opened them. */
export function useChatServers(prefix: string) {
  const folder = mkdtempSync(path.join(tmpdir(), prefix));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const open: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });
  const closing = <T extends { close(): Promise<void> }>(one: T): T => {
    open.push(() => one.close());
    return one;
  };
  const serve = async (...args: Parameters<typeof startChatServer>): Promise<ChatServer> =>
    closing(await startChatServer(...args));
  return { folder, closing, serve };
}
