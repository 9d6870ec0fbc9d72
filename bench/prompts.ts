// What other words do to one teacher: every named domain and question, asked of the tiny multimodal teacher about the same photos. It has
// been fitted to one prompt (photo, quality) alone: so this tells how far words reach, and not which are right for a larger model.
// usage: nice node bench/prompts.ts [crops of each photo and distortion=1]
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { hashBytes } from "../src/engine/base/files.ts";
import { teacherSchema } from "../src/engine/config/teacher.ts";
import { srcc } from "../src/engine/metrics/agreement.ts";
import { createTeacher } from "../src/engine/teachers/createTeacher.ts";
import { expectedScore } from "../src/engine/teachers/judgement.ts";
import type { TeacherImage } from "../src/engine/teachers/teacher.ts";
import { serveTinyTeacher } from "../tools/tiny-teacher/server.ts";
import { makeUnseen, unseenPhotos } from "../tools/tiny-teacher/unseen.ts";

const [crops = 1] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(path.join(tmpdir(), "leaf-prompts-"));
const images: TeacherImage[] = [];
const truth: number[] = [];
for (const photo of unseenPhotos)
  for (const { image, mos } of await makeUnseen(folder, photo, crops)) {
    const bytes = await readFile(path.join(folder, image));
    images.push({ hash: hashBytes(bytes), name: image, read: async () => bytes });
    truth.push(mos);
  }
const server = await serveTinyTeacher();
const usual = new Map<number, number>();
try {
  for (const question of ["quality", "aesthetics"])
    for (const domain of ["photo", "aigc", "render", "document", "medical", "satellite"]) {
      const config = {
        kind: "openai",
        endpoint: server.endpoint,
        model: "tiny-teacher",
        prompts: { domain, question },
      };
      const teacher = await createTeacher(teacherSchema.parse(config), { root: folder });
      const judged = [];
      for (const image of images) judged.push(...(await teacher.judgePoints([image])));
      await teacher.close();
      const good = judged.flatMap((one, i) =>
        one.ok ? [{ i, mass: one.mass, score: expectedScore(one.probabilities) }] : [],
      );
      const scores = Float64Array.from(good, ({ score }) => score);
      if (usual.size === 0) for (const { i, score } of good) usual.set(i, score);
      const both = good.filter(({ i }) => usual.has(i));
      const mass = good.reduce((sum, one) => sum + one.mass, 0) / good.length;
      const told = {
        answered: `${good.length}/${images.length}`,
        mass: mass.toFixed(3),
        truth: srcc(
          scores,
          Float64Array.from(good, ({ i }) => truth[i]!),
        )?.toFixed(3),
        "photo, quality": srcc(
          Float64Array.from(both, ({ score }) => score),
          Float64Array.from(both, ({ i }) => usual.get(i)!),
        )?.toFixed(3),
      };
      console.log(question.padEnd(11), domain.padEnd(10), JSON.stringify(told));
    }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
