/** Where Label Studio serves files of its machine: the path is relative to its LOCAL_FILES_DOCUMENT_ROOT. */
const localFiles = "/data/local-files/?d=";

export interface LabelStudioTask {
  data: { image: string };
  predictions: {
    model_version: string;
    /** The exact score, by which tasks can be sorted. */
    score: number;
    result: { from_name: string; to_name: string; type: string; value: Record<string, number> }[];
  }[];
}

/** The stars of a scale that begins at 0 or 1, else null: then a number is asked for. Label Studio has at most ten. */
function starsOf([lowest, highest]: readonly [number, number]): number | null {
  return (lowest === 0 || lowest === 1) && Number.isInteger(highest) && highest >= 2 && highest <= 10
    ? highest
    : null;
}

/**
 * A task for each image, with its score as a prediction: https://labelstud.io/guide/predictions. On a scale of stars it is rounded to the next
 * star, which is what a person can give. The name of the control is `rating`, so that an export is read by `mos: { score: rating }`.
 */
export function labelStudioTasks(
  images: Iterable<readonly [path: string, score: number]>,
  {
    range,
    version,
    prefix = localFiles,
  }: { range: readonly [number, number]; version: string; prefix?: string },
): LabelStudioTask[] {
  const stars = starsOf(range);
  // Addresses are encoded; a bucket's key is taken as it is.
  const isEncoded = /^https?:|[?&]d=$/.test(prefix);
  return Array.from(images, ([path, score]) => {
    const said: { type: string; value: Record<string, number> } =
      stars === null
        ? { type: "number", value: { number: score } }
        : { type: "rating", value: { rating: Math.min(stars, Math.max(1, Math.round(score))) } };
    return {
      data: { image: prefix + (isEncoded ? path.split("/").map(encodeURIComponent).join("/") : path) },
      predictions: [
        { model_version: version, score, result: [{ from_name: "rating", to_name: "image", ...said }] },
      ],
    };
  });
}

/** The labelling interface that the predictions fit. */
export function labelStudioInterface(range: readonly [number, number]): string {
  const stars = starsOf(range);
  const control =
    stars === null
      ? `<Number name="rating" toName="image" min="${range[0]}" max="${range[1]}" step="any"/>`
      : `<Rating name="rating" toName="image" maxRating="${stars}"/>`;
  return `<View>\n  <Image name="image" value="$image" zoom="true"/>\n  ${control}\n</View>\n`;
}
