import type { Point } from "./viewport.ts";

interface Gestures {
  /** By this factor, at a place in the pane. */
  zoom(factor: number, at: Point): void;
  pan(by: Point): void;
  /** Double click. */
  jump(at: Point): void;
}

/** Wheel, drag and double click on a pane; `dragged` is among its classes while it is dragged. */
export function listenToGestures(pane: HTMLElement, { zoom, pan, jump }: Gestures): void {
  let from: Point | undefined;
  const at = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = pane.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const drop = () => {
    from = undefined;
    pane.classList.remove("dragged");
  };
  pane.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      zoom(Math.exp(-event.deltaY * lines * 0.002), at(event));
    },
    { passive: false },
  );
  pane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pane.setPointerCapture(event.pointerId);
    pane.classList.add("dragged");
    from = { x: event.clientX, y: event.clientY };
  });
  pane.addEventListener("pointermove", ({ clientX: x, clientY: y }) => {
    if (!from) return;
    const by = { x: x - from.x, y: y - from.y };
    from = { x, y };
    pan(by);
  });
  pane.addEventListener("pointerup", drop);
  pane.addEventListener("pointercancel", drop);
  pane.addEventListener("dblclick", (event) => jump(at(event)));
}
