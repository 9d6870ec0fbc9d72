import type { RatingQueue } from "../../../../src/protocol/server.ts";
import type { Model } from "./model.ts";

let proposed: { model: Model; hashes: string[] } | undefined;

/** Proposes images without a human score once; what was rated leaves the queue and can come back. */
export function ratingQueue(model: Model, count: number): RatingQueue {
  if (proposed?.model !== model || proposed.hashes.length !== count) {
    const unrated = model.images.filter(({ mos }) => mos === null).slice(0, count);
    proposed = { model, hashes: unrated.map(({ hash }) => hash) };
  }
  const rated = new Set(model.ratings.map(({ hash }) => hash));
  const of = (hash: string) => model.images.find((row) => row.hash === hash)!;
  const images = proposed.hashes.filter((hash) => !rated.has(hash)).map(of);
  const test = proposed.hashes.filter((hash) => of(hash).split === "test").length;
  return {
    images,
    rated: [...model.ratings],
    proposed: { train: proposed.hashes.length - test, test },
    file: model.projects[0]?.mos?.file ?? "mos.csv",
    total: model.images.filter(({ mos }) => mos !== null).length,
    rater: null,
    ...model.sitting,
  };
}

export function rate(model: Model, hash: string, rating: number | null, repeat = false): RatingQueue {
  model.ratings = model.ratings.filter((one) => one.hash !== hash || (one.repeat ?? false) !== repeat);
  if (repeat) {
    if (rating !== null) model.ratings.push({ hash, path: "", rating, repeat });
    return ratingQueue(model, proposed?.hashes.length ?? 30);
  }
  const row = model.images.find((one) => one.hash === hash);
  if (row) {
    row.mos = rating;
    if (rating !== null) model.ratings.push({ hash, path: row.path, rating });
  }
  return ratingQueue(model, proposed?.hashes.length ?? 30);
}
