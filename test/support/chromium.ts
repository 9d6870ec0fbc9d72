import { type Browser, chromium } from "playwright-core";

/** LEAF_CHROMIUM names another Chromium. `env` marks its processes, so that they can be found again. */
export function startChromium(env?: NodeJS.ProcessEnv): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.LEAF_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...(env && { env: env as Record<string, string> }),
  });
}
