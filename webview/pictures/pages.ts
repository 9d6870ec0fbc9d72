import { LRUCache } from "lru-cache";
import type { Page } from "../../src/protocol/images.ts";

/** Rows of a long list, fetched by the page for what is looked at. */
export interface Pages<T> {
  /** null until the first answer. */
  readonly total: number | null;
  at(index: number): T | undefined;
  /** What is looked at now, and one row elsewhere; what was looked at before and is not yet asked for is let go. */
  look(first: number, last: number, also?: number): void;
  /** Fetches what is looked at anew, and the rest when it is looked at again; old rows stand until then. */
  refresh(): void;
  /** Changes a row that is here. */
  put(index: number, row: T): void;
  /** A page that came by another way. */
  fill(offset: number, page: Page<T>): void;
  /** All rows from one to another (included), whether looked at or not. */
  between(first: number, last: number): Promise<T[]>;
  /** Index of a row that is here. */
  find(wanted: (row: T) => boolean): number;
  close(): void;
}

interface Options<T> {
  fetch(offset: number, limit: number): Promise<Page<T>>;
  onChange(): void;
  onError(error: unknown): void;
  pageSize?: number;
  /** Pages that are kept; those looked at longest ago go first. */
  kept?: number;
}

/** Answers come one or two at a time, so that a fling through the list asks for where it ends and little of the way. */
const inFlightAtOnce = 2;
const settleMs = 40;

export function createPages<T>({
  fetch,
  onChange,
  onError,
  pageSize = 100,
  kept = 80,
}: Options<T>): Pages<T> {
  const pages = new LRUCache<number, T[]>({ max: kept });
  const stale = new Set<number>();
  const asked = new Set<number>();
  let total: number | null = null;
  let looked = { first: 0, last: 0, also: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  let generation = 0;

  function wanted(): number[] {
    const { first, last, also } = looked;
    const [from, to] = [Math.floor(first / pageSize), Math.floor(Math.max(first, last) / pageSize)];
    const end = total === null ? to : Math.min(to, Math.ceil(total / pageSize) - 1);
    const numbers = also < first || also > last ? [Math.floor(also / pageSize)] : [];
    for (let page = from; page <= Math.max(end, from); page++) numbers.push(page);
    return numbers.filter((page) => (!pages.has(page) || stale.has(page)) && !asked.has(page));
  }

  function ask(): void {
    timer = undefined;
    for (const page of wanted().slice(0, inFlightAtOnce - asked.size)) void get(page);
  }

  async function get(page: number): Promise<void> {
    asked.add(page);
    const asOf = generation;
    try {
      const answer = await fetch(page * pageSize, pageSize);
      if (closed) return;
      keep(page, answer);
      // It may be from before the change that was told meanwhile.
      if (asOf !== generation) stale.add(page);
    } catch (error) {
      if (closed) return;
      // Not asked again by itself: the next look or refresh does.
      onError(error);
      return;
    } finally {
      asked.delete(page);
    }
    if (timer === undefined) ask();
    onChange();
  }

  function keep(page: number, answer: Page<T>): void {
    if (total !== null && total !== answer.total) for (const one of pages.keys()) stale.add(one);
    total = answer.total;
    stale.delete(page);
    pages.set(page, answer.rows);
  }

  return {
    get total() {
      return total;
    },
    at(index) {
      return pages.get(Math.floor(index / pageSize))?.[index % pageSize];
    },
    look(first, last, also = first) {
      looked = { first: Math.max(0, first), last, also: Math.max(0, also) };
      if (timer === undefined && wanted().length > 0) timer = setTimeout(ask, total === null ? 0 : settleMs);
    },
    refresh() {
      generation++;
      for (const page of pages.keys()) stale.add(page);
      if (timer === undefined) timer = setTimeout(ask, 0);
    },
    put(index, row) {
      const page = pages.get(Math.floor(index / pageSize));
      if (page) page[index % pageSize] = row;
    },
    fill(offset, page) {
      if (offset % pageSize === 0) keep(offset / pageSize, page);
    },
    async between(first, last) {
      const rows: T[] = [];
      while (!closed && first + rows.length <= last) {
        const offset = first + rows.length;
        const answer = await fetch(offset, Math.min(1000, last - offset + 1));
        if (answer.rows.length === 0) break;
        for (const row of answer.rows) rows.push(row);
      }
      return rows;
    },
    find(wanted) {
      for (const [page, rows] of pages.entries()) {
        const at = rows.findIndex(wanted);
        if (at >= 0) return page * pageSize + at;
      }
      return -1;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
