import type { SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
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
  /** End of the slice after a cursor, null after the last. Few thousand rows each: a slice is not interrupted. */
  nextSlice(from: SQLInputValue): SQLInputValue;
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
  building: Promise<void> | undefined;
  used: number;
}

/**
 * Sorted and filtered lists of any length, each kept in a temporary table, so that a page costs what it holds. A list is made
 * in slices between which the event loop runs; while data changes, one that took long to make serves for a while as it is.
 */
export interface OrderedViews {
  page(plan: ViewPlan, offset: number, limit: number): Promise<{ refs: SQLInputValue[]; total: number }>;
}

const mostViews = 6;
/** A list that takes longer than this to make is not made anew at once, but after `restShare` times as long. */
const quickMs = 40;
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
    try {
      const insert = db.prepare(
        `INSERT INTO temp.${table} SELECT key IS NULL, ${sign}ifnull(key, 0), ref FROM (${plan.select})`,
      );
      for (let from = plan.first; ; ) {
        const to = plan.nextSlice(from);
        if (to === null) break;
        insert.run({ ...plan.values, from, to });
        from = to;
        await setImmediate();
      }
    } catch (error) {
      if (db.isOpen) db.exec(`DROP TABLE temp.${table}`);
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
  }

  function isDue(view: View, plan: ViewPlan): boolean {
    if (!view.table) return true;
    if (view.version === plan.version()) return false;
    return view.costMs < quickMs || performance.now() - view.builtMs > restShare * view.costMs;
  }

  function dropOldest(): void {
    const idle = [...views].filter(([, view]) => !view.building).sort(([, a], [, b]) => a.used - b.used);
    for (const [name, view] of idle.slice(0, Math.max(0, views.size - mostViews))) {
      views.delete(name);
      drop(view);
    }
  }

  function drop(view: View): void {
    view.read = undefined;
    if (view.table && sources.db.isOpen) sources.db.exec(`DROP TABLE temp.${view.table}`);
    view.table = "";
  }

  return {
    async page(plan, offset, limit) {
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
      if (!view.read) return this.page(plan, offset, limit);
      const rows = view.read.all(limit, offset) as { ref: SQLInputValue }[];
      const page = { refs: rows.map((row) => row.ref), total: view.total };
      dropOldest();
      return page;
    },
  };
}
