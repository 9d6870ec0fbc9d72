import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readMos } from "../../../src/engine/dataset/readMos.ts";
import { labelStudioInterface, labelStudioTasks } from "../../../src/engine/report/labelStudio.ts";
import { makeIndex } from "../../support/imageIndex.ts";
import { temporaryFolder } from "../../support/pictures.ts";

const images = [
  ["photos/my pic.jpg", 3.62],
  ["photos/x/é#1.jpg", 5.4],
] as const;

test("tasks hold the student's score as a prediction, in the form that Label Studio imports", () => {
  const tasks = labelStudioTasks(images, { range: [1, 5], version: "leaf calibrate r3" });
  expect(tasks[0]).toEqual({
    data: { image: "/data/local-files/?d=photos/my%20pic.jpg" },
    predictions: [
      {
        model_version: "leaf calibrate r3",
        score: 3.62,
        result: [{ from_name: "rating", to_name: "image", type: "rating", value: { rating: 4 } }],
      },
    ],
  });
  // No star beyond the last.
  expect(tasks[1]!.predictions[0]!.result[0]!.value).toEqual({ rating: 5 });
  expect(labelStudioInterface([1, 5])).toContain('<Rating name="rating" toName="image" maxRating="5"/>');
});

test("a scale without stars takes the number as it is, and a bucket its keys", () => {
  const [task] = labelStudioTasks([["a b.jpg", 61.25]], {
    range: [0, 100],
    version: "leaf",
    prefix: "s3://b/",
  });
  expect(task!.data.image).toBe("s3://b/a b.jpg");
  expect(task!.predictions[0]!.result[0]).toMatchObject({ type: "number", value: { number: 61.25 } });
  expect(labelStudioInterface([0, 100])).toContain('<Number name="rating"');
});

test("what comes back annotated is read as MOS of the same images", async () => {
  const tasks = labelStudioTasks(images, { range: [1, 5], version: "leaf" });
  const annotated = tasks.map(({ data, predictions }, id) => ({
    id,
    data,
    annotations: [{ id, completed_by: 1, result: predictions[0]!.result }],
  }));
  const file = path.join(temporaryFolder(), "export.json");
  writeFileSync(file, JSON.stringify(annotated));
  const { index, hashOf } = makeIndex(images.map(([image]) => image));
  const mos = await readMos({ file, image: "image", score: "rating", range: [1, 5] }, index);
  expect(images.map(([image]) => mos.scores.get(hashOf(image)))).toEqual([4, 5]);
});
