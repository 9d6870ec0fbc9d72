import "../engine/base/noTelemetry.ts";
import { answerQuickly } from "./quick.ts";

// What needs no project is answered before all the rest is loaded.
if (!(await answerQuickly(process.argv.slice(2)))) await import("./program.ts");
