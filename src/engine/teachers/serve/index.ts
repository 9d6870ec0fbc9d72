export { type AcquireOptions, acquireServer, type ManagedServer } from "./acquire.ts";
export { isRunning, listServers, stopServers } from "./list.ts";
