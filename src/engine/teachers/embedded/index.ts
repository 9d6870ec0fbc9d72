export { createEmbeddedTeacher, type EmbeddedTeacherOptions } from "./teacher.ts";
