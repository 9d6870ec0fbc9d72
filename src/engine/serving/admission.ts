/** What may be inside at a time: a service that says no in time does not grow until it falls. */
export interface Door {
  /** Lets a request of so many bytes in and returns what it calls when it leaves; undefined where there is no room. */
  enter(bytes: number): (() => void) | undefined;
  inside(): number;
}

/** A request larger than all the room is let in alone. */
export function door(room: { requests: number; bytes: number }): Door {
  let [requests, held] = [0, 0];
  return {
    enter(bytes) {
      if (requests >= room.requests || (requests > 0 && held + bytes > room.bytes)) return undefined;
      requests++;
      held += bytes;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        requests--;
        held -= bytes;
      };
    },
    inside: () => requests,
  };
}
