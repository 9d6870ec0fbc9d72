import type { z } from "zod";
import type {
  contrastiveHello,
  contrastiveOpen,
  promptPart,
  teacherAnswer,
  teacherAsked,
  teacherHello,
  teacherMeasure,
  teacherMessage,
  teacherOpen,
  teacherRequest,
} from "./schema/teacher.ts";

export type TeacherPromptPart = z.infer<typeof promptPart>;
export type TeacherOpen = z.infer<typeof teacherOpen>;
export type TeacherMeasure = z.infer<typeof teacherMeasure>;
export type ContrastiveOpen = z.infer<typeof contrastiveOpen>;
export type TeacherRequest = z.infer<typeof teacherRequest>;
export type TeacherHello = z.infer<typeof teacherHello>;
export type ContrastiveHello = z.infer<typeof contrastiveHello>;
export type TeacherMessage = z.infer<typeof teacherMessage>;
export type TeacherAnswer = z.infer<typeof teacherAnswer>;

type Bare<T> = T extends unknown ? Omit<T, "v" | "id"> : never;
/** A request that is answered, before it has its number. */
export type TeacherQuestion = Bare<z.infer<typeof teacherAsked>>;
