/** Files built as cameras build them: directories of a TIFF, with JPEGs and data of the sensor behind them. */

type Field = [
  tag: number,
  type: "short" | "long" | "byte",
  values: number[] | { data: Buffer } | { below: Field[][] },
];

/** A little-endian TIFF with a chain of directories. `{ data }` becomes where the data lies, `{ below }` where the directories do. */
export function tiffFile(chain: Field[][], mark = Buffer.alloc(0)): Buffer {
  const head = Buffer.concat([Buffer.from("II*\0\0\0\0\0", "latin1"), mark]);
  const blocks: Buffer[] = [head];
  let end = head.length;
  // Directories first, as in real files: a cut one has lost the data.
  const later: { body: Buffer; at: number; data: Buffer }[] = [];
  const put = (block: Buffer): number => {
    const at = end;
    blocks.push(block);
    end += block.length;
    return at;
  };
  const write = (fields: Field[], next: number): number => {
    const body = Buffer.alloc(2 + fields.length * 12 + 4);
    body.writeUInt16LE(fields.length, 0);
    for (const [i, [tag, type, given]] of fields.entries()) {
      const values = Array.isArray(given)
        ? given
        : "data" in given
          ? [0]
          : given.below.map((one) => write(one, 0));
      const size = { short: 2, long: 4, byte: 1 }[type];
      const cells = Buffer.alloc(Math.max(4, values.length * size));
      for (const [k, value] of values.entries()) cells.writeUIntLE(value, k * size, size);
      const at = 2 + i * 12;
      if (!Array.isArray(given) && "data" in given) later.push({ body, at: at + 8, data: given.data });
      body.writeUInt16LE(tag, at);
      body.writeUInt16LE({ short: 3, long: 4, byte: 1 }[type], at + 2);
      body.writeUInt32LE(values.length, at + 4);
      if (cells.length === 4) cells.copy(body, at + 8);
      else body.writeUInt32LE(put(cells), at + 8);
    }
    body.writeUInt32LE(next, body.length - 4);
    return put(body);
  };
  let next = 0;
  for (const fields of [...chain].reverse()) next = write(fields, next);
  head.writeUInt32LE(next, 4);
  for (const { body, at, data } of later) body.writeUInt32LE(put(data), at);
  return Buffer.concat(blocks);
}

const thumbnail = Buffer.alloc(8 * 8 * 3, 40);
const size = (width: number, height: number): Field[] => [
  [256, "long", [width]],
  [257, "long", [height]],
];
const strip = (data: Buffer): Field[] => [
  [273, "long", { data }],
  [279, "long", [data.length]],
];
const jpegAt = (data: Buffer): Field[] => [
  [513, "long", { data }],
  [514, "long", [data.length]],
];
const small: Field[] = [
  [254, "long", [1]],
  ...size(8, 8),
  [258, "short", [8, 8, 8]],
  [259, "short", [1]],
  [262, "short", [2]],
  [277, "short", [3]],
  ...strip(thumbnail),
];
const sensor = (compression: number): Field[] => [
  [254, "long", [0]],
  ...size(4000, 3000),
  [258, "short", [14]],
  [259, "short", [compression]],
  [262, "short", [32803]],
  ...strip(Buffer.alloc(3000, 0xa5)),
];

/** As cameras of each kind lay them out; `large` and `middle` are JPEGs, turned is EXIF's orientation. */
export const rawFiles: Record<string, (large: Buffer, middle: Buffer, turned: number) => Buffer> = {
  // Adobe: a thumbnail, and below it the sensor's data and two previews.
  dng: (large, middle, turned) =>
    tiffFile([
      [
        ...small,
        [274, "short", [turned]],
        [330, "long", { below: [sensor(7), preview(middle), preview(large)] }],
        [50706, "byte", [1, 4, 0, 0]],
      ],
    ]),
  // Canon: the preview first, a thumbnail second, the data as a lossless JPEG last.
  cr2: (large, middle, turned) =>
    tiffFile(
      [
        [
          ...size(32, 24),
          [258, "short", [8, 8, 8]],
          [259, "short", [6]],
          ...strip(large),
          [274, "short", [turned]],
        ],
        jpegAt(middle),
        [[259, "short", [6]], ...strip(lossless(large))],
      ],
      Buffer.from("CR\x02\0\0\0\0\0", "latin1"),
    ),
  // Nikon: a thumbnail, and below it the preview and the data.
  nef: (large, _, turned) =>
    tiffFile([
      [
        ...small,
        [274, "short", [turned]],
        [
          330,
          "long",
          { below: [[[254, "long", [1]], [259, "short", [6]], ...jpegAt(large)], sensor(34713)] },
        ],
      ],
    ]),
  // Sony: the preview and the data in and below the first, a thumbnail in the second.
  arw: (large, middle, turned) =>
    tiffFile([
      [
        [254, "long", [1]],
        [259, "short", [6]],
        ...jpegAt(large),
        [274, "short", [turned]],
        [330, "long", { below: [sensor(32767)] }],
      ],
      [[254, "long", [1]], [259, "short", [6]], ...jpegAt(middle)],
    ]),
  // Fujifilm and Canon's CR3: containers of their own.
  raf: (large, middle) =>
    Buffer.concat([
      Buffer.from("FUJIFILMCCD-RAW 0201"),
      Buffer.alloc(100),
      middle,
      large,
      Buffer.alloc(900, 0xff),
    ]),
  cr3: (large, middle, turned) =>
    Buffer.concat([
      box("ftyp", Buffer.from("crx \0\0\0\x01crx isom", "latin1")),
      box("moov", box("CMT1", tiffFile([[[274, "short", [turned]]]]))),
      box("uuid", middle),
      box("mdat", Buffer.concat([large, Buffer.alloc(900, 0xa5)])),
    ]),
};

function preview(data: Buffer): Field[] {
  return [[254, "long", [1]], ...size(1, 1), [259, "short", [7]], [262, "short", [6]], ...strip(data)];
}

/** The same with the frame of a lossless JPEG, larger than any other. */
function lossless(jpeg: Buffer): Buffer {
  const other = Buffer.from(jpeg);
  const frame = other.indexOf("\xff\xc0", 0, "latin1");
  other[frame + 1] = 0xc3;
  other.writeUInt16BE(3000, frame + 5);
  other.writeUInt16BE(4000, frame + 7);
  return other;
}

function box(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, body]);
}
