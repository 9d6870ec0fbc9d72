/** The interpreter with the trainer's packages. */
export function python(): string {
  const named = process.env.LEAF_PYTHON;
  if (!named) throw new Error("Set LEAF_PYTHON to an interpreter with the trainer's packages.");
  return named;
}
