import path from "node:path";
import { logError } from "../engine/base/errorLog.ts";
import { LeafError } from "../engine/base/errors.ts";
import type { ProcessLock } from "../engine/base/processLock.ts";
import { explained, failureOf } from "../engine/base/unexpected.ts";
import type { Config } from "../engine/config/config.ts";
import { ensureLeafDir, type Project, projectOf } from "../engine/config/project.ts";
import { type ConfigProblem, readConfig, readConfigText } from "../engine/config/read.ts";
import { useCache } from "../engine/dataset/cacheUse.ts";
import { type Catalog, openCatalog } from "../engine/dataset/catalog.ts";
import { countedNow } from "../engine/labels/counting.ts";
import { runsOf } from "../engine/pipeline/currentStudent.ts";
import { withPlan } from "../engine/pipeline/plan/plan.ts";
import { summariseRuns } from "../engine/pipeline/runSummaries.ts";
import { listRuns } from "../engine/pipeline/runs.ts";
import { type StageStatus, statuses } from "../engine/pipeline/status.ts";
import type { LiveContext } from "../engine/scoring/context.ts";
import { currentScorer, scorerInfo } from "../engine/scoring/currentScorer.ts";
import type { ScorerProcess } from "../engine/scoring/process.ts";
import type { Browser } from "../engine/views/browse.ts";
import type { FailureSummary } from "../protocol/failures.ts";
import type { JobEvent, JobKind, JobSnapshot } from "../protocol/jobs.ts";
import type { ProjectSnapshot, RunSummary, StageFailures, StageSnapshot } from "../protocol/project.ts";
import type { LabelResult, RunRecord } from "../protocol/results.ts";
import type { ServerSettings } from "../protocol/server.ts";
import { headline } from "../words/headline.ts";
import { inEnglish, quoted, say } from "../words/text.ts";
import { liveDataset } from "./dataset.ts";
import { factOfError, factsOf, failureFacts } from "./facts.ts";
import { checkInterpreters } from "./interpreterCheck.ts";
import { type JobTracker, trackJobs } from "./jobTracker.ts";
import type { FactProblem } from "./language/context.ts";
import { type LiveImages, liveImages } from "./liveImages.ts";
import { t, worded, wordedFailure } from "./locale.ts";
import { projectInputs } from "./projectInputs.ts";
import { uriOf } from "./uris.ts";

/** What a project tells the rest of the server. */
export interface ProjectEvents {
  onChanged(): void;
  onJobEvents(job: JobSnapshot, events: JobEvent[]): void;
  /** Paths relative to the config's folder; `all` for too many to name. */
  onScores(project: Project, paths: string[], all: boolean): void;
  onError(error: unknown): void;
}

/** One config and all that hangs on it; the only owner of its state. */
export interface LiveProject {
  /** Path of the config file. */
  readonly file: string;
  snapshot(): ProjectSnapshot;
  facts(): FactProblem[];
  /** Of this config, oldest first. */
  runs(): RunSummary[];
  jobs: JobTracker;
  /** The parsed config. Throws LeafError `config` while it is invalid. */
  project(): Project;
  /** Resolves once the project has been read; throws what keeps it from being read. */
  context(): Promise<LiveContext>;
  /** The same, ready to be asked about images. */
  browser(): Promise<Browser>;
  images: Pick<LiveImages, "scores">;
  /** Whether a path (as in the index) is an image file; false until the project has been read. */
  hasImage(path: string): boolean;
  /** `onCluster`: as the settings name it; throws LeafError `usage` where they name none. */
  start(
    kind: JobKind,
    env: Record<string, string>,
    details?: { experiment?: string; onCluster?: boolean },
  ): Promise<JobSnapshot>;
  /** Something changed that the state depends on. Resolves once it is read. */
  refresh(options?: { rescan?: boolean }): Promise<void>;
  applySettings(settings: ServerSettings): void;
  close(mode: "released" | "attached"): Promise<void>;
}

/** More changed files than this are told as "all". */
const manyPaths = 200;

/** What was read of the config and its data the last time. */
interface Loaded {
  project: Project;
  context: LiveContext;
  images: { files: number; usable: number; failed: number };
  mos: ProjectSnapshot["mos"];
  stages: StageSnapshot[];
  runs: RunSummary[];
  facts: FactProblem[];
}

export function liveProject(
  file: string,
  name: string,
  scorer: ScorerProcess,
  firstSettings: ServerSettings,
  events: ProjectEvents,
): LiveProject {
  let settings = firstSettings;
  let revision = 0;
  let config: Config | undefined;
  /** Until it has been read once. */
  const firstReading = t("Reading …");
  let invalid: string | null = firstReading;
  let invalidAt: ConfigProblem | undefined;
  let facts: FactProblem[] = [];
  let loaded: Loaded | undefined;
  /** The index and the scores are open from the first reading on. */
  let inUse: ProcessLock | undefined;
  let closed = false;

  const changed = () => {
    revision++;
    events.onChanged();
  };
  const jobs = trackJobs((job, told) => {
    events.onJobEvents(job, told);
    changed();
    // Not before: while a stage runs nothing that was read changes.
    if (told.some((event) => event.type === "stage" || event.type === "end")) void refresh();
  });
  const dataset = liveDataset({
    onChanged(paths) {
      if (loaded) events.onScores(loaded.project, paths.slice(0, manyPaths), paths.length > manyPaths);
      void refresh();
    },
    onError: events.onError,
  });
  const images = liveImages(scorer, {
    onScores(paths, all) {
      if (loaded) events.onScores(loaded.project, paths, all);
    },
    onChanged: changed,
    onError: events.onError,
  });
  const interpreters = checkInterpreters(() => void refresh());
  const inputs = projectInputs(() => void refresh(), changed);

  function currentProject(): Project {
    if (config) return projectOf(file, config);
    throw new LeafError(
      "config",
      invalid === null ? say`${path.basename(file)} has not been read yet.` : quoted(invalid),
      { file },
    );
  }

  // One reading at a time; asked for while one is under way, it is done once more after it.
  let reading: Promise<void> = Promise.resolve();
  let again: { promise: Promise<void>; rescan: boolean } | undefined;
  function refresh({ rescan = false }: { rescan?: boolean } = {}): Promise<void> {
    if (again) {
      again.rescan ||= rescan;
      return again.promise;
    }
    const next = { promise: Promise.resolve(), rescan };
    again = next;
    next.promise = reading.then(async () => {
      again = undefined;
      if (!closed) await read(next.rescan);
    });
    reading = next.promise;
    return reading;
  }

  async function read(rescan: boolean): Promise<void> {
    invalidAt = undefined;
    try {
      // Watching comes before reading, so that nothing falls between the two.
      await inputs.watch(file, config && projectOf(file, config), settings.usePolling);
      const text = await readConfigText(file, say`Make it again, or close it.`);
      const parsed = await readConfig(text, path.dirname(file));
      if (!parsed.ok) {
        const [first] = parsed.problems;
        const place = first ? `:${first.line}:${first.column}: ${worded(first.words)}` : "";
        [config, invalid, invalidAt, facts] = [undefined, `${path.basename(file)}${place}`, first, []];
        return;
      }
      config = parsed.config;
      const project = projectOf(file, config);
      await inputs.watch(file, project, settings.usePolling);
      try {
        await ensureLeafDir(project);
        inUse ??= await useCache(project);
        await dataset.open(project, { usePolling: settings.usePolling, rescan });
        await load(project);
        invalid = null;
      } catch (error) {
        const known = explained(error, { doing: say`${path.basename(file)} was read` });
        if (known.code === "internal") throw error;
        if (known.code === "cancelled") return;
        [loaded, facts, invalid] = [undefined, [factOfError(project, known)], worded(known.words.message)];
      }
      await jobs.attach(project);
    } catch (error) {
      const doing = say`${path.basename(file)} was read`;
      invalid = wordedFailure(failureOf(error, { doing, file })).message;
      // A config that is gone is no fault of ours.
      if (error instanceof LeafError) return;
      logError(path.join(path.dirname(file), ".leaf"), error, inEnglish(doing));
      events.onError(error);
    } finally {
      changed();
    }
  }

  async function load(project: Project): Promise<void> {
    const catalog = await openCatalog(project, { trustIndex: true });
    try {
      const records = await listRuns(project);
      const { teacher, minConfidence, temperature, stages } = await withPlan(
        project,
        catalog,
        async (plan) => ({
          teacher: await plan.teacher(),
          minConfidence: await plan.minConfidence(),
          temperature: await plan.temperature(),
          stages: await statuses(plan, records),
        }),
      );
      const context: LiveContext = {
        project,
        mos: catalog.mos,
        mosStd: catalog.mosStd,
        targets: catalog.targets,
        splitOf: catalog.splitOf,
        teacher,
        scorer: await currentScorer(project, records, teacher),
        minConfidence,
        temperature,
      };
      const runs = await summariseRuns(project, records);
      facts = [...factsOf(project, catalog, interpreters), ...failureFacts(project, stages)];
      loaded = {
        project,
        context,
        images: {
          files: catalog.summary.files,
          usable: catalog.summary.images,
          failed: catalog.summary.failed,
        },
        mos: mosOf(project, catalog),
        stages: stages.map((status) => stageSnapshot(status, records, context)),
        runs: runs.filter((run) => run.config === uriOf(file)).reverse(),
        facts,
      };
      await images.update(context, records, settings.scoreNewImages);
    } finally {
      catalog.close();
    }
  }

  return {
    file,
    jobs,
    images,
    hasImage: (relative) => loaded !== undefined && images.has(relative),
    project: currentProject,
    runs: () => loaded?.runs ?? [],
    facts: () => facts,
    snapshot: () => ({
      config: uriOf(file),
      name,
      folder: uriOf(path.dirname(file)),
      revision,
      invalid,
      ...(invalid === firstReading && { reading: true }),
      ...(invalidAt && {
        invalidAt: { file: path.basename(file), line: invalidAt.line, message: invalidAt.message },
      }),
      imagesName: config ? [config.images].flat().join(", ") : "",
      images: loaded?.images ?? null,
      mos: loaded?.mos ?? null,
      stages: loaded?.stages ?? [],
      stale: (loaded?.stages ?? []).filter(
        ({ state, reason }) => state !== "fresh" && reason?.kind !== "noHumanScores",
      ).length,
      scorer: loaded ? scorerInfo(loaded.context.scorer) : null,
      scored: images.scored(),
      job: jobs.snapshot(),
      ...(settings.cluster && { cluster: true }),
    }),
    async context() {
      await reading;
      if (!loaded)
        throw new LeafError("config", invalid === null ? say`The project cannot be read.` : quoted(invalid), {
          file,
        });
      return loaded.context;
    },
    async browser() {
      await this.context();
      return images.browser();
    },
    async start(kind, env, { experiment, onCluster } = {}) {
      const { cluster } = settings;
      if (onCluster && !cluster)
        throw new LeafError("usage", say`No cluster is named.`, {
          remedy: say`Name it in the setting \`leaf.cluster.address\`.`,
        });
      const job = await jobs.start(currentProject(), kind, env, {
        ...(experiment && { experiment }),
        ...(onCluster && cluster && { cluster }),
      });
      changed();
      return job;
    },
    refresh,
    applySettings(next) {
      const again =
        next.usePolling !== settings.usePolling ||
        next.scoreNewImages !== settings.scoreNewImages ||
        next.pythonInterpreter !== settings.pythonInterpreter ||
        next.allowedKeyVariables.join() !== settings.allowedKeyVariables.join();
      const told = (next.cluster === null) !== (settings.cluster === null);
      settings = next;
      if (again) void refresh();
      else if (told) changed();
    },
    async close(mode) {
      closed = true;
      await Promise.all([jobs.leave(mode), dataset.close(), inputs.close()]);
      await reading.catch(() => {});
      images.close();
      inUse?.release();
    },
  };
}

function stageSnapshot(
  { stage, state, reason, failures }: StageStatus,
  runs: readonly RunRecord[],
  { project, minConfidence }: LiveContext,
): StageSnapshot {
  const last = runsOf(project, runs).find((run) => run.stages[stage]);
  const entry = last?.stages[stage];
  const told =
    stage === "label" && entry ? countedNow(entry.result as LabelResult, minConfidence) : entry?.result;
  return {
    stage,
    state,
    reason: reason ?? null,
    headline: entry ? headline(t, stage, told) : null,
    run: last?.id ?? null,
    updated: last?.updated ?? null,
    ...(failures && { failures: stageFailures(failures) }),
  };
}

function stageFailures({ file, ...rest }: FailureSummary): StageFailures {
  return { ...rest, list: file && uriOf(file) };
}

function mosOf(project: Project, catalog: Catalog): ProjectSnapshot["mos"] {
  const { mos } = project.config;
  if (!mos) return null;
  const counts = { train: 0, val: 0, test: 0 };
  for (const hash of catalog.mos.keys()) counts[catalog.splitOf(hash)]++;
  return { file: mos.file, rated: catalog.mos.size, ...counts, range: [...mos.range] };
}
