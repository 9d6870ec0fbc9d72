import { LeafError } from "../engine/base/errors.ts";
import { progressTimer, trainerProgress } from "../engine/base/progressTimer.ts";
import type { Project } from "../engine/config/project.ts";
import type { JobDetails } from "../engine/jobs/files.ts";
import { attachToJob, type FollowedJob, startJob } from "../engine/jobs/follow.ts";
import type { JobEvent, JobKind, JobSnapshot } from "../protocol/jobs.ts";
import { say } from "../words/text.ts";
import { wordedFailure, worded as words } from "./locale.ts";
import { uriOf } from "./uris.ts";

/** Progress events are of interest only as the last one; curves and warnings are kept. */
const keptEvents = 20_000;

/** The newest job of a project: what it says of itself, and the events that the panel draws. */
export interface JobTracker {
  snapshot(): JobSnapshot | null;
  events(): JobEvent[];
  running(): boolean;
  /** Throws LeafError `failed` while another job runs. */
  start(
    project: Project,
    kind: JobKind,
    env: Record<string, string>,
    details?: JobDetails,
  ): Promise<JobSnapshot>;
  /** Finds a job that another window started, now or before; while one is followed that is enough. */
  attach(project: Project): Promise<void>;
  /** Resolves once the job has ended; false if none ran. */
  stop(): Promise<boolean>;
  leave(mode: "released" | "attached"): Promise<void>;
}

export function trackJobs(onEvents: (job: JobSnapshot, events: JobEvent[]) => void): JobTracker {
  let job: FollowedJob | undefined;
  let snapshot: JobSnapshot | null = null;
  let events: JobEvent[] = [];
  let timer = progressTimer();

  const follower = (kind: "new" | "found") => {
    let quiet = kind === "found";
    return {
      onEvents(happened: JobEvent[]) {
        if (!snapshot) return;
        const told = happened.map(worded);
        for (const event of told) apply(snapshot, event);
        events = [...events, ...told.filter((event) => event.type !== "progress")].slice(-keptEvents);
        if (!quiet) onEvents({ ...snapshot }, told);
      },
      loud() {
        quiet = false;
      },
    };
  };

  function apply(job: JobSnapshot, event: JobEvent): void {
    const progress =
      event.type === "progress"
        ? event.progress
        : event.type === "trainer"
          ? trainerProgress(event)
          : undefined;
    if (progress) job.progress = timer(progress, event.at);
    if (event.type === "warning") job.warnings++;
    if (event.type === "end") {
      job.state = event.state;
      job.ended = new Date(event.at).toISOString();
      job.failure = event.failure ?? null;
      job.progress = null;
    }
  }

  function begin(
    id: string,
    kind: JobKind,
    config: string,
    started: string,
    experiment?: string,
  ): JobSnapshot {
    timer = progressTimer();
    events = [];
    snapshot = {
      id,
      kind,
      config,
      started,
      ended: null,
      state: "running",
      progress: null,
      failure: null,
      warnings: 0,
      ...(experiment ? { experiment: uriOf(experiment) } : {}),
    };
    return snapshot;
  }

  return {
    snapshot: () => snapshot && { ...snapshot },
    events: () => events,
    running: () => snapshot?.state === "running",
    async start(project, kind, env, details = {}) {
      if (snapshot?.state === "running") {
        throw new LeafError("failed", say`\`${snapshot.kind}\` is running already.`, {
          remedy: say`Wait for it, or stop it first.`,
        });
      }
      // Counts as running from here on: a second click finds it so.
      const now = new Date().toISOString();
      const started = begin("", kind, uriOf(project.configFile), now, details.experiment);
      try {
        job = await startJob(project, kind, { ...follower("new"), env, details });
      } catch (error) {
        snapshot = null;
        throw error;
      }
      started.id = job.request.id;
      return { ...started };
    },
    async attach(project) {
      if (snapshot?.state === "running") return;
      const before = snapshot;
      const follow = follower("found");
      // The first events come before the job is known.
      const buffered: JobEvent[] = [];
      let known = false;
      const found = await attachToJob(
        project,
        {
          onEvents: (told) => (known ? follow.onEvents(told) : buffered.push(...told)),
        },
        before?.id,
      );
      if (!found || snapshot !== before) {
        await found?.leave("attached");
        return;
      }
      job = found;
      const { id, kind, started, experiment } = found.request;
      begin(id, kind, uriOf(project.configFile), started, experiment);
      known = true;
      follow.onEvents(buffered);
      follow.loud();
    },
    async stop() {
      if (snapshot?.state !== "running" || !job) return false;
      await job.stop();
      return true;
    },
    async leave(mode) {
      await job?.leave(mode);
    },
  };
}

/** An event in the editor's language: what the panel's log and a notification show of it. */
function worded(event: JobEvent): JobEvent {
  if (event.type === "warning" && event.words) return { ...event, message: words(event.words) };
  if (event.type === "end" && event.failure) return { ...event, failure: wordedFailure(event.failure) };
  return event;
}
