import type { z } from "zod";
import type { backboneDone, headDone, headFacts, headJob, headMessage, networkName } from "./schema/head.ts";

/** Engine → Python: a job of the closed form. */
export type HeadJob = z.input<typeof headJob>;
export type FitJob = Extract<HeadJob, { kind: "fit" }>;
export type BackboneJob = Extract<HeadJob, { kind: "backbone" }>;

/** Python → engine. */
export type HeadMessage = z.infer<typeof headMessage>;
export type HeadDone = z.infer<typeof headDone>;
export type BackboneDone = z.infer<typeof backboneDone>;

/** Whose features: the distilled student's, or the network's as it came. */
export type NetworkName = z.infer<typeof networkName>;
/** What the closed form came to. */
export type HeadFacts = z.infer<typeof headFacts>;
