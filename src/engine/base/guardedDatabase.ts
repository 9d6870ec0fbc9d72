import { DatabaseSync, type StatementSync } from "node:sqlite";
import { explainDatabaseError } from "./sqlite.ts";

interface Options {
  readOnly?: boolean;
  timeout?: number;
}

/**
 * A database whose every failure is a LeafError, whoever uses it: a full disk, a lock and a damaged page are told in one sentence.
 * What its file brings along (views, triggers, computed columns) may call nothing with an effect.
 */
export function openGuarded(file: string, options: Options): DatabaseSync {
  const db = new GuardedDatabase(file, options);
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  return db;
}

class GuardedDatabase extends DatabaseSync {
  readonly #file: string;

  constructor(file: string, options: Options) {
    super(file, options);
    this.#file = file;
  }

  override exec(sql: string): void {
    this.#guard(() => super.exec(sql));
  }

  override prepare(...given: Parameters<DatabaseSync["prepare"]>): StatementSync {
    const statement = this.#guard(() => super.prepare(...given));
    const { all, get, run, iterate } = statement;
    const guard = <T>(work: () => T) => this.#guard(work);
    const call =
      <T>(method: (...values: never[]) => T) =>
      (...values: unknown[]): T =>
        guard(() => Reflect.apply(method, statement, values));
    return Object.assign(statement, {
      all: call(all),
      get: call(get),
      run: call(run),
      iterate(...values: unknown[]) {
        const rows = guard(() => Reflect.apply(iterate, statement, values)) as ReturnType<typeof iterate>;
        const next = rows.next.bind(rows);
        rows.next = (...some: []) => guard(() => next(...some));
        return rows;
      },
    });
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainDatabaseError(error, this.#file);
    }
  }
}
