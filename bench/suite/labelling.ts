import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { jpegs } from "./students.ts";
import { processSeconds, type Work } from "./work.ts";

const count = 32;

/** The embedded teacher, against itself before: it has no peer. */
export const labelling: readonly Work[] = [
  {
    name: `\`leaf label\`, embedded teacher, ${count} JPEGs of 1 megapixel`,
    peer: "",
    aim: 4,
    prepare: async (folder, leaf) => {
      const [first] = await jpegs(count, 1200, 900);
      symlinkSync(path.dirname(first!), path.join(folder, "photos"));
      writeFileSync(
        path.join(folder, "leaf.yaml"),
        "images: photos\nteacher:\n  kind: embedded\nlabel:\n  pairsPerImage: 1\n",
      );
      return {
        ours: () => {
          rmSync(path.join(folder, ".leaf"), { recursive: true, force: true });
          return processSeconds(process.execPath, [leaf, "label"], { cwd: folder });
        },
      };
    },
  },
];
