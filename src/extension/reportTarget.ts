/** The run that a report is asked of: that of a tree's node, or the id beside a config; undefined for the newest. */
export function runOfTarget(target: unknown, second: unknown): string | undefined {
  if (typeof second === "string" && second !== "") return second;
  if (typeof target !== "object" || target === null || !("run" in target)) return undefined;
  const { run } = target;
  return typeof run === "object" && run !== null && "id" in run && typeof run.id === "string"
    ? run.id
    : undefined;
}
