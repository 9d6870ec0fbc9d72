import { noTelemetry } from "./environment.ts";

// For a process that LEAF is: the first import of each entry, before a library can read its environment.
Object.assign(process.env, noTelemetry);
