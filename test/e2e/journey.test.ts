import { describe } from "vitest";
import { writingTheConfig } from "./journey/config.ts";
import { scoresInText } from "./journey/hover.ts";
import { lookingAtImages } from "./journey/panel.ts";
import { runningThePipeline } from "./journey/pipeline.ts";
import { comparingRuns } from "./journey/runs.ts";
import { goingOn } from "./journey/survival.ts";
import { useSession } from "./support/session.ts";
import { projectFolder } from "./support/workspace.ts";

// One person's way through LEAF, in one window: each part stands on those before it.
const session = useSession(() => projectFolder(40));

describe("writing leaf.yaml", () => writingTheConfig(session));
describe("running the pipeline", () => runningThePipeline(session));
describe("scores in text", () => scoresInText(session));
describe("the IQA panel", () => lookingAtImages(session));
describe("runs", () => comparingRuns(session));
describe("what happens to images, processes and windows", () => goingOn(session));
