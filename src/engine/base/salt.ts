import { createHmac, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { leafHome } from "./home.ts";

/** A digest of a secret that says nothing to whoever has not this user's salt. */
export function saltedDigest(text: string): string {
  return createHmac("sha256", salt()).update(text).digest("hex").slice(0, 32);
}

function salt(): string {
  const file = path.join(leafHome(), "salt");
  try {
    return readFileSync(file, "utf8");
  } catch {
    // Made below.
  }
  try {
    mkdirSync(leafHome(), { recursive: true });
    writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" });
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return readFileSync(file, "utf8");
    return ofThisProcess; // A home that cannot be written: the next process has another.
  }
}

const ofThisProcess = randomBytes(32).toString("hex");
