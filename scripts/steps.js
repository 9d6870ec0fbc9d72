// Programs that scripts run: in front, with what they print seen at once, or beside others, with it kept until it is asked for.
import { spawn } from "node:child_process";
import { setPriority } from "node:os";
import path from "node:path";

/** @typedef {{ command: string, args: string[], options?: import("node:child_process").SpawnOptions }} Step */
/** @typedef {{ title: string, ok: boolean, text: string, seconds: number }} Done */

/** @param {string} command @param {string[]} args @param {Step["options"]} [options] @returns {Step} */
export const step = (command, args, options) => ({ command, args, options });

/** Runs it in front. Resolves to whether it went well. @param {Step} one */
export async function run(one) {
  console.log(`\n> ${titleOf(one)}`);
  const { ok, seconds } = await ended(one, "inherit");
  console.log(`(${seconds} s)`);
  return ok;
}

/** Runs it out of sight; in the background it gives way to what runs in front. @param {Step} one @param {{ background?: boolean }} [how] */
export const keep = (one, { background = false } = {}) => ended(one, "pipe", background);

/** Prints what was kept as if it had run now. @param {Done} done */
export function tell({ title, ok, text, seconds }) {
  console.log(`\n> ${title}\n${text.trim() ? `${text.trimEnd()}\n` : ""}(${seconds} s)`);
  return ok;
}

/** @param {Step} one */
const titleOf = ({ command, args }) => [path.basename(command), ...args].join(" ");

/** @param {Step} one @param {"inherit" | "pipe"} output @param {boolean} [background] @returns {Promise<Done>} */
function ended(one, output, background) {
  const started = performance.now();
  let text = "";
  return new Promise((resolve) => {
    const child = spawn(one.command, one.args, { ...one.options, stdio: ["ignore", output, output] });
    if (background && child.pid !== undefined) setPriority(child.pid, 10);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (/** @type {string} */ part) => {
        text += part;
      });
    /** @param {boolean} ok */
    const end = (ok) =>
      resolve({ title: titleOf(one), ok, text, seconds: Math.round((performance.now() - started) / 1000) });
    child.once("error", (error) => {
      text += error.message;
      end(false);
    });
    child.once("close", (status) => end(status === 0));
  });
}
