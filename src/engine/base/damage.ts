/**
 * Files that are not what they should be are told once, by name, and passed over: whoever talks to a person listens. Without a
 * listener nothing is said, and the file is passed over all the same.
 */
type Listener = (sentence: string) => void;

const listeners = new Set<Listener>();
const told = new Set<string>();
/** Of a folder full of such files the first ones say enough; and the memory of them stays small. */
const mostTold = 1000;

export function onDamagedFile(listener: Listener): { dispose(): void } {
  listeners.add(listener);
  return { dispose: () => void listeners.delete(listener) };
}

/** `why` completes "FILE is passed over: …". */
export function tellDamagedFile(file: string, why: string): void {
  const sentence = `${file} is passed over: ${why}.`;
  if (listeners.size === 0 || told.has(sentence) || told.size >= mostTold) return;
  told.add(sentence);
  for (const listener of listeners) listener(sentence);
}
