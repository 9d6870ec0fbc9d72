/** D50, the white of profiles. */
const white = [0.9642, 1, 0.8249];

/** An ICC profile (version 2) of three primaries, as XYZ under D50, and one gamma. */
export function matrixProfile(primaries: number[][], gamma: number): Buffer {
  const fixed = (values: number[]) => {
    const tag = Buffer.alloc(8 + 4 * values.length);
    tag.write("XYZ ", 0, "latin1");
    for (const [i, value] of values.entries()) tag.writeInt32BE(Math.round(value * 65_536), 8 + 4 * i);
    return tag;
  };
  const curve = Buffer.alloc(16);
  curve.write("curv", 0, "latin1");
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const name = Buffer.alloc(100);
  name.write("desc", 0, "latin1");
  name.writeUInt32BE(5, 8);
  name.write("wide", 12, "latin1");
  const tags: [string, Buffer][] = [
    ["desc", name],
    ["cprt", Buffer.from("text\0\0\0\0none\0\0\0\0", "latin1")],
    ["wtpt", fixed(white)],
    ...["r", "g", "b"].map((c, i): [string, Buffer] => [`${c}XYZ`, fixed(primaries[i]!)]),
    ...["r", "g", "b"].map((c): [string, Buffer] => [`${c}TRC`, curve]),
  ];
  const head = Buffer.alloc(132 + 12 * tags.length);
  let end = head.length;
  for (const [i, [tag, data]] of tags.entries()) {
    head.write(tag, 132 + 12 * i, "latin1");
    head.writeUInt32BE(end, 136 + 12 * i);
    head.writeUInt32BE(data.length, 140 + 12 * i);
    end += data.length;
  }
  head.writeUInt32BE(end, 0);
  head.writeUInt32BE(0x02400000, 8);
  head.write("mntrRGB XYZ ", 12, "latin1");
  head.write("acsp", 36, "latin1");
  for (const [i, value] of white.entries()) head.writeInt32BE(Math.round(value * 65_536), 68 + 4 * i);
  head.writeUInt32BE(tags.length, 128);
  return Buffer.concat([head, ...tags.map(([, data]) => data)]);
}

/** Adobe RGB (1998) and ProPhoto RGB: https://www.adobe.com/digitalimag/pdfs/AdobeRGB1998.pdf, ISO 22028-2. */
export const wideGamuts = {
  adobe: matrixProfile(
    [
      [0.60974, 0.31111, 0.01947],
      [0.20528, 0.62567, 0.06087],
      [0.14919, 0.06322, 0.74457],
    ],
    2.19921875,
  ),
  prophoto: matrixProfile(
    [
      [0.79767, 0.28804, 0],
      [0.13519, 0.71188, 0],
      [0.03134, 0.00009, 0.82491],
    ],
    1.8,
  ),
};
