type JsonRow = Record<string, unknown>;

/** Rows out of JSON that is no list of flat objects but known all the same; undefined for anything else. */
export function foreignRows(value: unknown): JsonRow[] | undefined {
  return labelStudioRows(value) ?? splitRows(value) ?? namedRows(value) ?? nestedRows(value);
}

/**
 * A row for each annotation of a Label Studio export (JSON): the task's data, `annotator`, `annotation_id`, and what was said under the name
 * of its control. Skipped annotations are none.
 */
function labelStudioRows(value: unknown): JsonRow[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const isTask = (one: unknown): one is JsonRow & { data: JsonRow } =>
    isObject(one) && isObject(one.data) && (Array.isArray(one.annotations) || Array.isArray(one.completions));
  if (!value.every(isTask)) return undefined;
  return value.flatMap((task) => {
    const annotations = (task.annotations ?? task.completions) as unknown[];
    return annotations.flatMap((one): JsonRow[] => {
      if (!isObject(one) || one.was_cancelled === true || !Array.isArray(one.result)) return [];
      const row: JsonRow = {
        id: task.id,
        ...task.data,
        annotation_id: one.id,
        annotator: personIn(one.completed_by),
      };
      for (const part of one.result)
        if (isObject(part) && typeof part.from_name === "string" && isObject(part.value))
          row[part.from_name] = part.value;
      return [row];
    });
  });
}

/** A number, or an object with the person's address. */
function personIn(by: unknown): unknown {
  return isObject(by) ? (by.email ?? by.id) : by;
}

/**
 * Lists of names by split, `{"train": […], "val": […], "test": […]}`: a row a name, with columns `image` and `split`. Of several splits,
 * `{"1": {"train": […], …}, "2": …}`, each is a column of its name.
 */
function splitRows(value: unknown): JsonRow[] | undefined {
  if (!isObject(value)) return undefined;
  const splits = isSplit(value) ? { split: value } : value;
  if (Object.keys(splits).length === 0 || !Object.values(splits).every(isSplit)) return undefined;
  const rows = new Map<string, JsonRow>();
  for (const [column, lists] of Object.entries(splits as Record<string, Record<string, string[]>>))
    for (const [split, names] of Object.entries(lists))
      for (const image of names) {
        const row = rows.get(image) ?? { image };
        row[column] = split;
        rows.set(image, row);
      }
  return [...rows.values()];
}

function isSplit(value: unknown): value is Record<string, string[]> {
  if (!isObject(value)) return false;
  const lists = Object.entries(value);
  return (
    lists.length > 0 &&
    lists.every(
      ([name, list]) =>
        /^(train|val|valid|test)/i.test(name) &&
        Array.isArray(list) &&
        list.every((one) => typeof one === "string"),
    )
  );
}

/** Of fewer entries without the name of a picture, each may be a setting of something. */
const leastNamed = 3;
const isPicture = (name: string) => /\.[a-z0-9]{2,4}$/i.test(name);

/**
 * Something for each name: `{"a.jpg": 3.4, …}` is a row a name, with columns `image` and `mos`; of lists of numbers, the second is `ratings`; of
 * objects, their keys are columns beside `image`.
 */
function namedRows(value: unknown): JsonRow[] | undefined {
  if (!isObject(value)) return undefined;
  // Beside what is said of all of them.
  const inside = Object.values(value).filter(isObject);
  const around = Object.values(value).some((one) => !isObject(one));
  if (inside.length === 1 && (around || Object.keys(value).length === 1)) {
    const found = namedRows(inside[0]);
    if (found) return found;
  }
  const entries = Object.entries(value);
  if (entries.length < leastNamed && !entries.some(([name]) => isPicture(name))) return undefined;
  const all = (fits: (one: unknown) => boolean) =>
    entries.length > 0 && entries.every(([, one]) => one === null || fits(one));
  const isNumber = (one: unknown) =>
    typeof one === "number" || (typeof one === "string" && one.trim() !== "" && Number.isFinite(Number(one)));
  if (all(isNumber)) return entries.map(([image, mos]) => ({ image, mos }));
  if (all((one) => Array.isArray(one) && one.length > 0 && one.every(isNumber)))
    return entries.map(([image, ratings]) => ({ image, ratings }));
  if (all((one) => isObject(one) && !Object.values(one).some(isObject)))
    return entries.flatMap(([image, one]) => (isObject(one) ? [{ image, ...one }] : []));
  return undefined;
}

/** `[{"image": …, "ratings": [{"user": …, "score": …}, …]}, …]`: a row for each of what is inside, with what is said around it. */
function nestedRows(value: unknown): JsonRow[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isObject)) return undefined;
  const isList = (one: unknown) => Array.isArray(one) && one.length > 0 && one.every(isObject);
  const keys = Object.keys(value[0]!).filter((key) => isList(value[0]![key]));
  const [key] = keys;
  if (key === undefined || keys.length > 1) return undefined;
  // One rating that is wrapped, as Label Studio has them, is a cell.
  if (!value.some((row) => isList(row[key]) && (row[key] as unknown[]).length > 1)) return undefined;
  if (!value.every((row) => row[key] === undefined || Array.isArray(row[key]))) return undefined;
  return value.flatMap(({ [key]: inside, ...row }) =>
    ((inside ?? []) as unknown[]).flatMap((one) => (isObject(one) ? [{ ...one, ...row }] : [])),
  );
}

function isObject(value: unknown): value is JsonRow {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
