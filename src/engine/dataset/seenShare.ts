import type { Text } from "../../protocol/text.ts";
import { percent } from "../../words/figure.ts";
import { say } from "../../words/text.ts";
import type { Config } from "../config/config.ts";
import { viewPlaces } from "../images/views.ts";
import type { ImageIndex } from "./dataset.ts";

/** A median share of the picture below which a score is hardly of the picture. */
const least = 0.05;
const looked = 1000;

/** What is wrong where the student's views leave nearly all of most images out; undefined where they do not. */
export function unseen({ student: { input } }: Config, index: ImageIndex): Text | undefined {
  if (input.views === "whole") return undefined;
  const shares: number[] = [];
  for (const { width, height, error } of index.iterate()) {
    if (error || !width || !height) continue;
    const areas = viewPlaces(width, height, input).map((place) => place.width * place.height);
    shares.push(areas.reduce((sum, area) => sum + area, 0) / (width * height));
    if (shares.length === looked) break;
  }
  const median = shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)];
  if (median === undefined || median >= least) return undefined;
  return say`student.input: what is scored is ${percent(median)} of an image (the median of ${shares.length}): use \`views: whole\`, or a smaller \`resize\``;
}
