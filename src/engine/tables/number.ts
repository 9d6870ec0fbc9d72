/** A decimal number; a decimal comma counts where the comma does not separate columns. */
export function parseNumber(text: string, decimalComma: boolean): number | undefined {
  const plain = decimalComma ? text.replace(/^([+-]?\d*),(\d+)$/, "$1.$2") : text;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return undefined;
  const value = Number(plain);
  return Number.isFinite(value) ? value : undefined;
}
