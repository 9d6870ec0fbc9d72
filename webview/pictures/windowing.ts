/** Browsers lay out no element taller than some 33 million pixels; longer lists are scrolled in larger steps. */
const tallest = 16_000_000;

export interface Window {
  /** Height of what is scrolled, in pixels. */
  height: number;
  /** Lines to draw, the last one included; `last < first` for none. */
  first: number;
  last: number;
  /** Where the first of them begins, in pixels. */
  offset: number;
}

interface Lines {
  /** How many, and how tall each is in pixels. */
  count: number;
  size: number;
}

/** Which lines are to be drawn at a scroll position, with `spare` more on either side. */
export function windowOf(lines: Lines, scrolled: number, room: number, spare: number): Window {
  const whole = lines.count * lines.size;
  const height = Math.min(whole, tallest);
  const top = trueTop(lines, scrolled, room);
  const first = Math.max(0, Math.floor(top / lines.size) - spare);
  const last = Math.min(lines.count - 1, Math.ceil((top + room) / lines.size) - 1 + spare);
  // Drawn where the eye is, whatever the list's true length.
  return { height, first, last, offset: first * lines.size - top + scrolled };
}

function trueTop(lines: Lines, scrolled: number, room: number): number {
  const whole = lines.count * lines.size;
  if (whole <= tallest) return scrolled;
  return (scrolled / Math.max(1, tallest - room)) * (whole - room);
}

/** The scroll position that brings a line into sight with the least movement; `middle` puts it there if it is out of sight. */
export function scrollTo(lines: Lines, line: number, scrolled: number, room: number, middle = false): number {
  const whole = lines.count * lines.size;
  const top = trueTop(lines, scrolled, room);
  const [start, end] = [line * lines.size, (line + 1) * lines.size];
  if (start >= top && end <= top + room) return scrolled;
  const wanted = middle ? start - (room - lines.size) / 2 : start < top ? start : end - room;
  const within = Math.max(0, Math.min(wanted, whole - room));
  return whole <= tallest ? within : (within / (whole - room)) * (tallest - room);
}
