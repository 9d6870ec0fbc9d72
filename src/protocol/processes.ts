/**
 * Names one process for good: its id is given again after its end, and means another process after a restart of the machine, in
 * another container and on another machine.
 */
export interface ProcessIdentity {
  pid: number;
  /** When it began, as its system tells it. */
  began: string;
  /** Where and since when its id counts: the boot of the machine and, on Linux, the namespace of process ids. */
  space: string;
  /** Name of the machine, for messages. */
  host: string;
}
