import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** Files that take more than half a minute, the longest first; the order of the others matters little. */
const longest = [
  "faults/kill",
  "faults/disk",
  "integration/experiment",
  "integration/selection",
  "integration/pipeline",
  "integration/transformers-teacher",
  "integration/servers",
  "integration/phones-home",
  "integration/llama-teacher",
  "integration/interruption",
  "integration/failures",
  "server/images",
  "integration/python-environment",
  "integration/tiny-teacher",
  "integration/hostile-teacher-server",
  "integration/",
  "faults/student",
  "e2e/journey.",
  "e2e/death",
  "e2e/demo",
  "webview/gallery",
  "webview/metrics",
  "webview/pictures/",
  "webview/pairs",
  "webview/run/",
];

const place = ({ moduleId }: TestSpecification): number => {
  const found = longest.findIndex((name) => moduleId.includes(`/test/${name}`));
  return found < 0 ? longest.length : found;
};

/** Begins with what takes longest, so that both workers end at about the same time. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
