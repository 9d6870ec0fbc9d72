/** What of an image a pane shows. Relative to the image, so that two images side by side show the same region. */
export interface View {
  /** 1 fits the whole image into the pane. */
  zoom: number;
  /** The part of the image, 0..1 in each direction, that is in the middle of the pane. */
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export const fitted: View = { zoom: 1, x: 0.5, y: 0.5 };

/** Pixels of the pane that one pixel of the image takes when it fits. `limit` keeps small images from growing further. */
export function fitScale(image: Size, pane: Size, limit = Number.POSITIVE_INFINITY): number {
  if (image.width <= 0 || image.height <= 0 || pane.width <= 0 || pane.height <= 0) return 1;
  return Math.min(pane.width / image.width, pane.height / image.height, limit);
}

/** Where the image lies in the pane: its left top corner and its scale, in pixels of the pane. */
export function placement(view: View, image: Size, pane: Size, limit?: number) {
  const scale = fitScale(image, pane, limit) * view.zoom;
  const along = (at: number, length: number, room: number) =>
    // An image smaller than the pane stays in its middle.
    length * scale <= room ? (room - length * scale) / 2 : room / 2 - at * length * scale;
  return {
    scale,
    left: along(view.x, image.width, pane.width),
    top: along(view.y, image.height, pane.height),
  };
}

/** The part of the image that can be seen, 0..1. */
export function visibleRegion(view: View, image: Size, pane: Size, limit?: number) {
  const { scale, left, top } = placement(view, image, pane, limit);
  const share = (start: number, length: number, room: number): [number, number] => [
    Math.max(0, -start / (length * scale)),
    Math.min(1, (room - start) / (length * scale)),
  ];
  return { x: share(left, image.width, pane.width), y: share(top, image.height, pane.height) };
}

/** The zoom at which one pixel of the image is one of the screen. */
export function actualSize(image: Size, pane: Size, pixelRatio: number, limit?: number): number {
  return 1 / (fitScale(image, pane, limit) * pixelRatio);
}

/** Keeps what is under `at` (pixels of the pane) where it is. */
export function zoomAt(view: View, zoom: number, at: Point, image: Size, pane: Size, limit?: number): View {
  const before = placement(view, image, pane, limit);
  const part = {
    x: (at.x - before.left) / (image.width * before.scale),
    y: (at.y - before.top) / (image.height * before.scale),
  };
  const scale = fitScale(image, pane, limit) * zoom;
  const next = {
    zoom,
    x: part.x + (pane.width / 2 - at.x) / (image.width * scale),
    y: part.y + (pane.height / 2 - at.y) / (image.height * scale),
  };
  return inside(next, image, pane, limit);
}

/** Moves the image with the pointer by pixels of the pane. */
export function panBy(view: View, by: Point, image: Size, pane: Size, limit?: number): View {
  const { scale } = placement(view, image, pane, limit);
  return inside(
    { ...view, x: view.x - by.x / (image.width * scale), y: view.y - by.y / (image.height * scale) },
    image,
    pane,
    limit,
  );
}

/** No empty border where the image is larger than the pane. */
export function inside(view: View, image: Size, pane: Size, limit?: number): View {
  const scale = fitScale(image, pane, limit) * view.zoom;
  const keep = (at: number, length: number, room: number) => {
    const half = room / 2 / (length * scale);
    return half >= 0.5 ? 0.5 : Math.min(1 - half, Math.max(half, at));
  };
  return {
    zoom: view.zoom,
    x: keep(view.x, image.width, pane.width),
    y: keep(view.y, image.height, pane.height),
  };
}

/** Between the whole image (or its actual size, where that is smaller) and 32 screen pixels a pixel. */
export function clampZoom(zoom: number, actual: number): number {
  return Math.min(Math.max(zoom, Math.min(1, actual)), Math.max(1, actual * 32));
}
