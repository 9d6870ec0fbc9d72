import path from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { hashBytes } from "../../../src/engine/base/files.ts";
import { storedEnsemble } from "../../../src/engine/labelling/ensemble.ts";
import { labelDataset } from "../../../src/engine/labelling/labelling.ts";
import { pointRow } from "../../../src/engine/labelling/rows.ts";
import { openLabels } from "../../../src/engine/labels/labels.ts";
import { identify } from "../../../src/engine/teachers/ensemble/identity.ts";
import { fixedWeights } from "../../../src/engine/teachers/ensemble/weights.ts";
import type { ItemFailure } from "../../../src/protocol/failures.ts";
import { temporaryFolder } from "../../support/pictures.ts";

it("an image that one of them could not judge fails with that one's reason, until it is mended", async () => {
  const store = openLabels(path.join(temporaryFolder(), "labels.sqlite"));
  onTestFinished(() => store.close());
  const images = [0, 1].map((i) => {
    const bytes = Buffer.from([i]);
    return { hash: hashBytes(bytes), name: `${i}.png`, read: async () => bytes };
  });
  images.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  const [first, second] = images.map(({ hash }) => hash) as [string, string];
  const good = { ok: true, probabilities: [0.6, 0.1, 0.1, 0.1, 0.1], mass: 0.9 } as const;
  for (const fingerprint of ["x", "y"]) store.registerTeacher({ fingerprint, kind: "fake", description: {} });
  store.putPoints("x", [pointRow(first, good), pointRow(second, good)]);
  store.putPoints("y", [
    pointRow(first, { ...good, mass: 0.7 }),
    pointRow(second, { ok: false, reason: "too dark" }),
  ]);
  const members = [
    { fingerprint: "x", name: "one" },
    { fingerprint: "y", name: "other" },
  ];
  const weights = fixedWeights([1, 1]);
  const teacher = storedEnsemble(store, members, identify([], weights), weights);
  const label = async () => {
    const failures: ItemFailure[] = [];
    const result = await labelDataset({
      store,
      teacher,
      images: () => images,
      pairs: { perImage: 0, strategy: "random", seed: 0 },
      minConfidence: 0.1,
      onFailure: (failure) => failures.push(failure),
    });
    return { points: result.points, failures };
  };
  expect(await label()).toEqual({
    points: { labelled: 1, reused: 0, failed: 1 },
    failures: [{ kind: "point", file: images[1]!.name, reason: "other: too dark" }],
  });
  expect(store.point(teacher.fingerprint, first)!.mass).toBe(0.7);
  store.putPoints("y", [pointRow(second, good)]);
  expect(await label()).toEqual({ points: { labelled: 1, reused: 1, failed: 0 }, failures: [] });
});
