import type { SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { say } from "../../words/text.ts";
import { LeafError } from "../base/errors.ts";
import type { Sources } from "./sources.ts";

/** One slice of a table, as SQL that yields the columns `key` (null last, ascending) and `ref` of the rows after a cursor. */
export interface ViewPlan {
  /** Tells this question from all others. */
  name: string;
  /** Changes with whatever the answer depends on. */
  version(): string;
  /** Selects `key, ref` of one slice; `:from` and `:to` bound it, (from, to]. */
  select: string;
  values: Record<string, SQLInputValue>;
  /** End of a slice of about so many rows after a cursor, null behind the last. */
  nextSlice(from: SQLInputValue, rows: number): SQLInputValue;
  first: SQLInputValue;
  descending: boolean;
  /** Rows are ordered by `ref` alone, which then descends too. */
  byRef?: boolean;
}

interface View {
  /** Empty until it is made. */
  table: string;
  read: StatementSync | undefined;
  version: string;
  total: number;
  builtMs: number;
  costMs: number;
  slices: number;
  building: Promise<void> | undefined;
  used: number;
}

/**
 * Sorted and filtered lists of any length, each kept in a temporary table, so that a page costs what it holds. A list is made
 * in slices between which the event loop runs; while data changes, one that took long to make serves for a while as it is.
 */
export interface OrderedViews {
  /** With `around` the page of `limit` rows that holds this `ref`, if the list does; `offset` says where it starts. */
  page(
    plan: ViewPlan,
    offset: number,
    limit: number,
    around?: SQLInputValue,
  ): Promise<{ refs: SQLInputValue[]; total: number; offset?: number }>;
}

const mostViews = 6;
/** A slice is not interrupted; its length follows from how long the one before it took. */
const sliceMs = 10;
const [fewestRows, firstRows, mostRows] = [100, 500, 4000];
/** A list with more slices than this is not made anew at once, but after `restShare` times as long as it took. */
const fewSlices = 8;
const restShare = 8;

export function orderedViews(sources: Sources): OrderedViews {
  const views = new Map<string, View>();
  let made = 0;
  let uses = 0;

  async function build(view: View, plan: ViewPlan): Promise<void> {
    const { db } = sources;
    const started = performance.now();
    const version = plan.version();
    const table = `view${made++}`;
    const sign = plan.descending ? "-" : "";
    db.exec(
      `CREATE TEMP TABLE ${table} (unknown INTEGER, key REAL, ref, PRIMARY KEY (unknown, key, ref)) WITHOUT ROWID`,
    );
    let [rows, slices] = [firstRows, 0];
    try {
      const insert = db.prepare(
        `INSERT INTO temp.${table} SELECT key IS NULL, ${sign}ifnull(key, 0), ref FROM (${plan.select})`,
      );
      for (let from = plan.first; ; ) {
        const sliceStart = performance.now();
        const to = plan.nextSlice(from, rows);
        if (to === null) break;
        insert.run({ ...plan.values, from, to });
        from = to;
        slices++;
        const share = sliceMs / (performance.now() - sliceStart);
        rows = Math.round(Math.min(mostRows, Math.max(fewestRows, rows * Math.min(2, share))));
        await setImmediate();
      }
    } catch (error) {
      if (!db.isOpen) throw new LeafError("cancelled", say`The project was closed.`);
      db.exec(`DROP TABLE temp.${table}`);
      throw error;
    }
    drop(view);
    const order = plan.byRef && plan.descending ? "unknown DESC, key DESC, ref DESC" : "unknown, key, ref";
    view.table = table;
    view.read = db.prepare(`SELECT ref FROM temp.${table} ORDER BY ${order} LIMIT ? OFFSET ?`);
    view.version = version;
    view.total = Number(db.prepare(`SELECT count(*) AS n FROM temp.${table}`).get()?.n);
    view.builtMs = performance.now();
    view.costMs = view.builtMs - started;
    view.slices = slices;
  }

  function isDue(view: View, plan: ViewPlan): boolean {
    if (!view.table) return true;
    if (view.version === plan.version()) return false;
    return view.slices <= fewSlices || performance.now() - view.builtMs > restShare * view.costMs;
  }

  function dropOldest(): void {
    const idle = [...views].filter(([, view]) => !view.building).sort(([, a], [, b]) => a.used - b.used);
    for (const [name, view] of idle.slice(0, Math.max(0, views.size - mostViews))) {
      views.delete(name);
      drop(view);
    }
  }

  /** How many rows come before one. */
  function placeOf({ table }: View, plan: ViewPlan, ref: SQLInputValue): number | undefined {
    const row = sources.db.prepare(`SELECT unknown, key FROM temp.${table} WHERE ref = ?`).get(ref);
    if (!row) return undefined;
    const before = plan.byRef && plan.descending ? ">" : "<";
    const counted = sources.db
      .prepare(`SELECT count(*) AS n FROM temp.${table} WHERE (unknown, key, ref) ${before} (?, ?, ?)`)
      .get(Number(row.unknown), Number(row.key), ref);
    return Number(counted?.n);
  }

  function drop(view: View): void {
    view.read = undefined;
    if (view.table && sources.db.isOpen) sources.db.exec(`DROP TABLE temp.${view.table}`);
    view.table = "";
  }

  return {
    async page(plan, offset, limit, around) {
      const name = `${plan.name}${plan.descending ? " descending" : ""}`;
      let view = views.get(name);
      if (!view) {
        view = {
          table: "",
          read: undefined,
          version: "",
          total: 0,
          builtMs: 0,
          costMs: 0,
          slices: 0,
          building: undefined,
          used: 0,
        };
        views.set(name, view);
      }
      view.used = ++uses;
      sources.refresh();
      if (!view.building && isDue(view, plan)) {
        const current = view;
        view.building = build(current, plan).finally(() => {
          current.building = undefined;
        });
      }
      if (view.building) await view.building;
      // Dropped meanwhile, by many questions at once.
      if (!view.read) return this.page(plan, offset, limit, around);
      const at = around === undefined ? undefined : placeOf(view, plan, around);
      const start = at === undefined ? offset : at - (at % Math.max(1, limit));
      const rows = view.read.all(limit, start) as { ref: SQLInputValue }[];
      const page = {
        refs: rows.map((row) => row.ref),
        total: view.total,
        ...(at === undefined ? {} : { offset: start }),
      };
      dropOldest();
      return page;
    },
  };
}
