/** Whether an image at this distance (in units of the student's threshold) is unlike those it was distilled on; null: unknown. */
export function isFar(distance: number | null | undefined): boolean | null {
  return distance == null ? null : distance > 1;
}
