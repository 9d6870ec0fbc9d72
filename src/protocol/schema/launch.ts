import * as z from "zod";
import { key } from "./common.ts";

/** `.leaf/launch.json`: the distillation whose other nodes may join. */
export const launchNote = z.looseObject({
  v: z.literal(1),
  leaf: z.string().max(40),
  key,
});
