import { teacherMessage } from "../../../protocol/schema/teacher.ts";
import type { TeacherMessage } from "../../../protocol/teacher.ts";
import { parseAs } from "../../base/json.ts";

/** A line of the protocol, or undefined for anything else that may have been printed. */
export function parseTeacherMessage(line: string): TeacherMessage | undefined {
  if (!line.startsWith("{")) return undefined;
  const read = parseAs<TeacherMessage>(line, teacherMessage);
  return read.ok ? read.value : undefined;
}
