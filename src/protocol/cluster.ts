import type { z } from "zod";
import type { clusterJob, clusterMessage } from "./schema/cluster.ts";

/** Engine → Python: a job on a Ray cluster. */
export type ClusterJob = z.input<typeof clusterJob>;
export type ScoreJob = Extract<ClusterJob, { kind: "score" }>;
export type LabelJob = Extract<ClusterJob, { kind: "label" }>;

/** Python → engine. */
export type ClusterMessage = z.infer<typeof clusterMessage>;
export type ScoredMessage = Extract<ClusterMessage, { type: "scored" }>;
