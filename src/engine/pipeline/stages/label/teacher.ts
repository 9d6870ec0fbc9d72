import { readFile } from "node:fs/promises";
import type { LabelResult } from "../../../../protocol/results.ts";
import { say } from "../../../../words/text.ts";
import { LeafError } from "../../../base/errors.ts";
import type { Project } from "../../../config/project.ts";
import type { OneTeacherConfig } from "../../../config/teacher.ts";
import type { Catalog } from "../../../dataset/catalog.ts";
import { maxPixelsOf } from "../../../images/limits.ts";
import type { LabelStore } from "../../../labels/labels.ts";
import { createTeacher } from "../../../teachers/createTeacher.ts";
import type { Teacher, TeacherImage } from "../../../teachers/teacher.ts";
import { modelOf } from "../../plan/judges.ts";
import type { LabelOptions } from "./options.ts";

/** What was found out about its server makes it another teacher than was planned with: it is planned again. */
export class AnotherTeacher extends LeafError {
  /** Still open. */
  readonly teacher: Teacher;

  constructor(teacher: Teacher) {
    super("failed", say`LEAF could not save what it found out about the teacher's server.`);
    this.teacher = teacher;
  }
}

export function refuseEmpty(project: Project, catalog: Catalog): void {
  if (catalog.hashes.length > 0) return;
  throw new LeafError("input", say`There is no usable image to label.`, {
    file: project.configFile,
    remedy: say`Check \`images:\` and run \`leaf check\`.`,
  });
}

/** An image of the catalog as a teacher sees it; teachers compare the bytes with the hash. */
export function teacherImage(catalog: Catalog, hash: string): TeacherImage {
  return {
    hash,
    // Few are ever asked for.
    get name() {
      return catalog.relativePathOf(hash);
    },
    get path() {
      return catalog.pathOf(hash);
    },
    read: () => readFile(catalog.pathOf(hash)),
  };
}

export function teacherName(config: OneTeacherConfig): string {
  return modelOf(config) ?? config.kind;
}

/** A teacher of the project, ready to judge; what it says meanwhile is shown as progress. */
export function openTeacher(
  project: Project,
  teacher: OneTeacherConfig,
  options: Pick<LabelOptions, "signal" | "onProgress" | "spent">,
): Promise<Teacher> {
  const { python } = project.config;
  return createTeacher(teacher, {
    root: project.root,
    interpreter: python.interpreter,
    precision: python.precision,
    maxPixels: maxPixelsOf(project.config),
    signal: options.signal,
    spent: options.spent,
    onNote: (note) =>
      options.onProgress?.({
        stage: "label",
        step: "teacher",
        done: 0,
        unit: "images",
        detail: note,
      }),
  });
}

/** Where the store holds every answer, no server or GPU has to be there. Undefined as soon as something has to be asked. */
export async function withoutTeacher(
  store: LabelStore,
  fingerprint: string,
  work: (teacher: Teacher) => Promise<LabelResult>,
): Promise<LabelResult | undefined> {
  const known = store.teachers().find((teacher) => teacher.fingerprint === fingerprint);
  if (!known) return undefined;
  let asked = false;
  const absent = () => {
    asked = true;
    return Promise.reject(new Error("The teacher is not here."));
  };
  try {
    return await work({
      kind: known.kind,
      fingerprint,
      description: {},
      batchSize: 1,
      judgePoints: absent,
      judgePairs: absent,
      explain: known.kind === "embedded" ? undefined : absent,
      close: async () => {},
    });
  } catch (error) {
    if (asked) return undefined;
    throw error;
  }
}
