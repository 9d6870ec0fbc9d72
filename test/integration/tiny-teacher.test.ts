import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashBytes } from "../../src/engine/base/files.ts";
import { teacherSchema } from "../../src/engine/config/teacher.ts";
import { labelDataset } from "../../src/engine/labelling/labelling.ts";
import { openLabels } from "../../src/engine/labels/labels.ts";
import { srcc } from "../../src/engine/metrics/rank.ts";
import { createTeacher } from "../../src/engine/teachers/createTeacher.ts";
import type { TeacherImage } from "../../src/engine/teachers/teacher.ts";
import { serveTinyTeacher, type TinyTeacherServer, whyNoLlama } from "../../tools/tiny-teacher/server.ts";
import { accuracy, makeUnseen, unseenPhotos } from "../../tools/tiny-teacher/unseen.ts";

// A real multimodal model, small as it is, behind llama.cpp's real server: what comes out of labelling means something.
const why = whyNoLlama();
const folder = mkdtempSync(path.join(tmpdir(), "leaf-tiny-"));

describe.skipIf(why !== undefined)(
  `the tiny teacher on photos it has not seen${why ? ` (${why})` : ""}`,
  () => {
    let server: TinyTeacherServer;
    const images: TeacherImage[] = [];
    const truth = new Map<string, number>();

    beforeAll(async () => {
      server = await serveTinyTeacher();
      for (const photo of unseenPhotos)
        for (const { image, mos } of await makeUnseen(folder, photo, 1)) {
          const bytes = await readFile(path.join(folder, image));
          const hash = hashBytes(bytes);
          images.push({ hash, name: image, read: async () => bytes });
          truth.set(hash, mos);
        }
      images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it("its labels follow the truth, and pairs that the entropy filter keeps are right more often than those it drops", {
      timeout: 240_000,
    }, async () => {
      const config = teacherSchema.parse({
        kind: "openai",
        endpoint: server.endpoint,
        model: "tiny-teacher",
        concurrency: 2,
      });
      const teacher = await createTeacher(config, { root: folder });
      const store = openLabels(path.join(folder, "labels.sqlite"));
      try {
        const result = await labelDataset({
          store,
          teacher,
          images: () => images,
          pairs: { perImage: 8, strategy: "mixed", seed: 0 },
          minConfidence: 0.1,
          concurrency: teacher.concurrency,
        });
        expect(result.points).toEqual({ labelled: images.length, reused: 0, failed: 0 });
        expect(result.pairs.failed).toBe(0);

        const points = [...store.points(teacher.fingerprint)];
        for (const { mass } of points) expect(mass).toBeGreaterThan(0.9);
        const agreement = srcc(
          Float64Array.from(points, ({ score }) => score),
          Float64Array.from(points, ({ image }) => truth.get(image)!),
        );
        // Measured: .51; pairs .81 against .53.
        expect(agreement).toBeGreaterThan(0.3);

        const compared = [...store.pairs(teacher.fingerprint)].map(({ a, b, p, confidence }) => ({
          a: truth.get(a)!,
          b: truth.get(b)!,
          p,
          kept: confidence >= 0.1,
        }));
        const kept = accuracy(compared.filter((pair) => pair.kept));
        const discarded = accuracy(compared.filter((pair) => !pair.kept));
        expect(Math.min(kept.n, discarded.n)).toBeGreaterThan(30);
        expect(kept.right).toBeGreaterThan(discarded.right + 0.1);
      } finally {
        store.close();
      }
    });
  },
);
