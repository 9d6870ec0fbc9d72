import { type Candidates, uncertaintyOf } from "./candidates.ts";
import { coverage } from "./kcenter.ts";
import { freePlaces, quantilePlaces, scoreOrder } from "./quantile.ts";

/** Images around each quantile among which features and uncertainty decide: this share of all, and at least so many. */
const windowShare = 1 / 16;
const leastWindow = 4;

/**
 * All three at once: quantile by quantile of the predicted score, of the images around it the one that is farthest from those
 * chosen (in features) times how unsure the answers about it are.
 */
export function* combined(candidates: Candidates): Generator<number> {
  const order = scoreOrder(candidates);
  const free = freePlaces(order, candidates.already);
  const cover = coverage(candidates);
  const unsure = uncertaintyOf(candidates);
  const window = Math.max(leastWindow, Math.round(order.length * windowShare));
  // Before anything is chosen all are equally far.
  const worth = (i: number) =>
    Math.sqrt(Math.min(cover.distances[i]!, Number.MAX_VALUE)) * (0.5 + unsure[i]!);
  for (const at of quantilePlaces(candidates)) {
    const places = free.around(at, window);
    if (places.length === 0) return;
    const place = places.reduce((best, next) => (worth(order[next]!) > worth(order[best]!) ? next : best));
    free.take(place);
    cover.add(order[place]!);
    yield order[place]!;
  }
}
