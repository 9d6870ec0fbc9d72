// Usage: node tools/tiny-teacher/prompts.ts > prompts.json: what LEAF asks a model of this name by default.
import { teacherSchema } from "../../src/engine/config/teacher.ts";
import { resolvePrompts } from "../../src/engine/teachers/prompts.ts";

const model = "tiny-teacher";
const teacher = teacherSchema.parse({ kind: "transformers", model });
if (teacher.kind !== "transformers") throw new Error("unreachable");
console.log(JSON.stringify(resolvePrompts(teacher.prompts, model), null, 2));
