export { createEmbeddedTeacher, type EmbeddedTeacherOptions, embeddedTeacherFingerprint } from "./teacher.ts";
