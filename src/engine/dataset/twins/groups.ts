import type { Twins } from "./twins.ts";

export interface JoinedGroups {
  groupOf: Map<string, string>;
  /** Images that have a twin, by the groups of twins that they make. */
  families: string[][];
  /** Those that are no versions of one picture, but a kind of picture: they are not kept together. */
  tooLarge: string[][];
}

/** A larger share of all images cannot be copies of one: a fixed camera, or pictures of one form, look alike by nature. */
const mostOfAll = 1 / 4;

/** The groups with those made one that twins link. Which name a group has, its members alone decide. */
export function joinTwins(groupOf: ReadonlyMap<string, string>, twins: readonly Twins[]): JoinedGroups {
  const all = familiesOf(twins.filter(({ a, b }) => groupOf.has(a) && groupOf.has(b)));
  const most = Math.max(2, groupOf.size * mostOfAll);
  const families = all.filter((family) => family.length <= most);
  const groups = unionFind();
  for (const [first, ...rest] of families)
    for (const hash of rest) groups.join(groupOf.get(first!)!, groupOf.get(hash)!);
  return {
    groupOf:
      families.length === 0
        ? new Map(groupOf)
        : new Map([...groupOf].map(([hash, group]) => [hash, groups.find(group)])),
    families,
    tooLarge: all.filter((family) => family.length > most),
  };
}

/** Images that twins link, by hash; all in the order of the smallest. */
export function familiesOf(twins: readonly Pick<Twins, "a" | "b">[]): string[][] {
  const images = unionFind();
  for (const { a, b } of twins) images.join(a, b);
  return images.sets();
}

/** Sets of names; each goes by its smallest. */
function unionFind() {
  const parent = new Map<string, string>();
  const find = (name: string): string => {
    let root = name;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    for (let at = name; at !== root; ) {
      const up = parent.get(at)!;
      parent.set(at, root);
      at = up;
    }
    return root;
  };
  return {
    find,
    join(one: string, other: string) {
      const [a, b] = [find(one), find(other)].sort() as [string, string];
      parent.set(a, a);
      parent.set(b, a);
    },
    sets: () => [...Map.groupBy([...parent.keys()].sort(), find).values()],
  };
}
