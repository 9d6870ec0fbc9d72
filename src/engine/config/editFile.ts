import path from "node:path";
import { say } from "../../words/text.ts";
import { editFile } from "../base/editFile.ts";
import { LeafError } from "../base/errors.ts";

/** Changes the text of a config file; undefined leaves it. Throws a LeafError `config` for one that is not UTF-8. */
export function editConfigFile(file: string, change: (text: string) => string | undefined): Promise<void> {
  return editFile(file, (before) => {
    const text = before.toString("utf8");
    if (Buffer.from(text).equals(before)) return change(text);
    throw new LeafError("config", say`${path.basename(file)} is not UTF-8, and a change would damage it.`, {
      file,
      remedy: say`Save it as UTF-8.`,
    });
  });
}
