/** The cells of one column, as numbers; null where there is none. */
export interface NumberColumn {
  name: string;
  values: (number | null)[];
}

/** Names of what is measured, not of who rates. */
const measured =
  /sharp|blur|nois|colou?r|contrast|bright|dark|expos|satur|arte?i?fact|compress|detail|depth|compos|light|a?esthet|quality|beaut|align|score|mos|psnr|ssim|lpips|vif|niqe|brisque|std|dev|var|mean|median|average|level|strength|distort|width|height|size|index|number|count|time|date|year|month|day|iso|shutter|aperture|focal|(^|_)id$/i;
const leastRaters = 3;
const leastShared = 5;
/** The ratings of two people of the same pictures agree by more, or they are of different things. */
const leastAgreement = 0.2;

/**
 * Whether columns of numbers are one person's ratings each, by what they hold: three and more, none named after something that is measured,
 * whole or half grades of one scale, some pictures left out by some, and agreement where two have seen the same.
 */
export function arePeople(columns: readonly NumberColumn[], scaleOf: (values: number[]) => unknown): boolean {
  if (columns.length < leastRaters || columns.some(({ name }) => measured.test(name))) return false;
  const known = columns.map(({ values }) => values.filter((value) => value !== null));
  const grades = known.every((values) => values.every((value) => Number.isInteger(2 * value)));
  const scales = new Set(known.map((values) => JSON.stringify(scaleOf(values))));
  const gaps = columns.filter(({ values }) => values.includes(null)).length;
  return grades && scales.size === 1 && gaps >= 2 && agreement(columns) > leastAgreement;
}

/** The mean correlation of two columns over the rows that both have, of pairs with five such rows; 0 without any. */
function agreement(columns: readonly NumberColumn[]): number {
  const found: number[] = [];
  for (const [i, { values: a }] of columns.entries())
    for (const { values: b } of columns.slice(i + 1)) {
      const both = a.flatMap((x, row) => {
        const y = b[row];
        return x === null || y === null || y === undefined ? [] : [[x, y] as const];
      });
      const r = both.length >= leastShared ? correlation(both) : undefined;
      if (r !== undefined) found.push(r);
    }
  return found.length === 0 ? 0 : found.reduce((sum, r) => sum + r, 0) / found.length;
}

function correlation(pairs: readonly (readonly [number, number])[]): number | undefined {
  const mean = (at: 0 | 1) => pairs.reduce((sum, pair) => sum + pair[at], 0) / pairs.length;
  const [x, y] = [mean(0), mean(1)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [a, b] of pairs) {
    xx += (a - x) ** 2;
    yy += (b - y) ** 2;
    xy += (a - x) * (b - y);
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : undefined;
}
