const form = /^([0-9a-z]{1,10})-[0-9a-z]+$/;

/** The number that an id begins with; undefined for the name of anything else. */
function numberOf(id: string): number | undefined {
  const digits = form.exec(id)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 36);
}

/** Names that are ids, in the order in which their jobs were started. */
export function sortedJobIds(names: readonly string[]): string[] {
  return names
    .map((name) => ({ name, number: numberOf(name) }))
    .filter((one): one is { name: string; number: number } => one.number !== undefined)
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}

/** An id after all others: it begins with the time in base 36, or with the next number where the clock has been set back. */
export function jobIdAfter(newest: string | undefined, now: number, random: string): string {
  const after = newest === undefined ? 0 : (numberOf(newest) ?? 0) + 1;
  return `${Math.max(now, after).toString(36)}-${random}`;
}
