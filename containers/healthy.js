// A container's health: 0 where `leaf serve` answers, and where another command runs as the container's first process.
import { readFileSync } from "node:fs";

const command = readFileSync("/proc/1/cmdline", "utf8").split("\0");
if (!command.includes("serve")) process.exit(0);
const at = command.indexOf("--port");
const port = at < 0 ? 8700 : command[at + 1];
const token = process.env.LEAF_SERVE_TOKEN;
const headers = token ? { authorization: `Bearer ${token}` } : {};
const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers }).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);
