import { processSeconds, type Work } from "./work.ts";

/** Starting the command line, against Node that does nothing. */
export const commandLine: readonly Work[] = ["--version", "--help"].map((option) => ({
  name: `\`leaf ${option}\``,
  peer: "bare Node",
  // No more than twice as long.
  aim: 0.5,
  prepare: async (_folder, leaf) => ({
    ours: () => processSeconds(process.execPath, [leaf, option]),
    peer: () => processSeconds(process.execPath, ["-e", "0"]),
  }),
}));
