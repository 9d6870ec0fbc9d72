import type { z } from "zod";
import type { agreement, trainerDone, trainerJob, trainerMessage } from "./schema/trainer.ts";

/** Engine → Python: the job file. Python refuses anything else. */
export type TrainerJob = z.input<typeof trainerJob>;

export type Agreement = z.infer<typeof agreement>;

/** Python → engine, one JSON object a line on the trainer's own channel. */
export type TrainerMessage = z.infer<typeof trainerMessage>;

export type TrainerDone = z.infer<typeof trainerDone>;
