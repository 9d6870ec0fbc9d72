import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { LeafError } from "../engine/base/errors.ts";
import { chunksOf } from "../engine/base/sqlite.ts";
import type { Project } from "../engine/config/project.ts";
import { type LabelStore, openLabels } from "../engine/labels/labels.ts";
import { listRuns } from "../engine/pipeline/runs.ts";
import type { LiveContext } from "../engine/scoring/context.ts";
import { scorersInUse } from "../engine/scoring/currentScorer.ts";
import type { ScorerProcess } from "../engine/scoring/process.ts";
import { openScores, type ScoreStore } from "../engine/scoring/scores.ts";
import { type Browser, openBrowser } from "../engine/views/browse.ts";
import type { ProjectSnapshot } from "../protocol/project.ts";
import { say } from "../words/text.ts";
import { type BackgroundScoring, backgroundScoring } from "./scoring.ts";

export interface ImageEvents {
  /** Paths relative to the config's folder; `all` for too many to name. */
  onScores(paths: string[], all: boolean): void;
  onChanged(): void;
  onError(error: unknown): void;
}

/** What is known of a project's images, and the scoring of those that have no score. */
export interface LiveImages {
  /** After every reading of the project. */
  update(context: LiveContext, scoreNewImages: boolean): Promise<void>;
  /** Throws LeafError `failed` before the first update. */
  browser(): Browser;
  scores(): ScoreStore;
  /** Whether a path (as in the index) is an image file. */
  has(path: string): boolean;
  scored(): ProjectSnapshot["scored"];
  close(): void;
}

/** More changed scores than this are told as "all". */
const manyPaths = 200;

export function liveImages(scorer: ScorerProcess, events: ImageEvents): LiveImages {
  let opened:
    | { browser: Browser; store: ScoreStore; scoring: BackgroundScoring; indexFile: string }
    | undefined;
  let shownScorer: string | undefined;
  let scored: ProjectSnapshot["scored"] = { done: 0, total: 0, busy: false };

  function open(project: Project) {
    if (opened?.indexFile === project.indexFile) return opened;
    close();
    const store = openScores(path.join(project.cache, "scores.sqlite"));
    const browser = openBrowser(project);
    const scoring = backgroundScoring(scorer, store, {
      onScored(hashes) {
        const many = hashes.length > manyPaths;
        events.onScores(many ? [] : hashes.flatMap((hash) => browser.row(hash)?.path ?? []), many);
      },
      onProgress(done, total, busy) {
        scored = { done, total, busy };
        events.onChanged();
      },
      onError: (message) => events.onError(new Error(message)),
    });
    opened = { browser, store, scoring, indexFile: project.indexFile };
    return opened;
  }

  function close(): void {
    opened?.scoring.stop();
    opened?.browser.close();
    opened?.store.close();
    opened = undefined;
  }

  function current() {
    if (opened) return opened;
    throw new LeafError("failed", say`The project has not been read yet.`, {
      remedy: say`Try again in a moment.`,
    });
  }

  return {
    async update(context, scoreNewImages) {
      const { browser, store, scoring } = open(context.project);
      if (context.scorer.kind === "embedded") await keepTeacherScores(store, context);
      browser.setContext(context);
      if (shownScorer !== context.scorer.fingerprint) {
        events.onScores([], true);
        forgetFormer(store, context.project).catch(events.onError);
      }
      shownScorer = context.scorer.fingerprint;
      scoring.update(context, scoreNewImages);
    },
    browser: () => current().browser,
    scores: () => current().store,
    has(path) {
      if (!opened) return false;
      const { sources } = opened.browser;
      sources.refresh();
      return (
        sources.prepare("SELECT 1 FROM dataset.files WHERE path = ? AND error IS NULL").get(path) !==
        undefined
      );
    },
    scored: () => scored,
    close,
  };
}

async function forgetFormer(store: ScoreStore, project: Project): Promise<void> {
  await store.removeOthers(await scorersInUse(project, await listRuns(project)));
}

/** Before there is a student the teacher's own labels are the scores that are shown. */
async function keepTeacherScores(store: ScoreStore, { project, teacher }: LiveContext): Promise<void> {
  let labels: LabelStore;
  try {
    labels = openLabels(project.labelsFile, { readOnly: true });
  } catch {
    return; // Nothing is labelled yet.
  }
  try {
    if (store.count(teacher) >= labels.counts(teacher, 0).points.ok) return;
    for (const some of chunksOf(labels.points(teacher), 1000)) {
      const images = some.map((label) => label.image);
      const missing = new Set(store.missing(teacher, images));
      store.put(
        teacher,
        some.flatMap(({ image: hash, score, probabilities, confidence, human }) =>
          human || !missing.has(hash) || probabilities[0] === null
            ? []
            : [
                {
                  hash,
                  score,
                  probabilities: probabilities as [number, number, number, number, number],
                  confidence,
                },
              ],
        ),
      );
      await setImmediate();
    }
  } finally {
    labels.close();
  }
}
