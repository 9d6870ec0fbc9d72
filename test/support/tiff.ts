/** Uncompressed little-endian TIFFs of any sample format, which no library at hand writes. */
export function tiff(
  samples: Uint8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array,
  width: number,
  height: number,
  { alpha = false, float = false }: { alpha?: boolean; float?: boolean } = {},
): Buffer {
  const channels = samples.length / width / height;
  const colours = channels - (alpha ? 1 : 0);
  const kind =
    float || samples instanceof Float32Array || samples instanceof Float64Array
      ? 3
      : samples instanceof Int16Array || samples instanceof Int32Array
        ? 2
        : 1;
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  const [short, long] = [3, 4];
  const each = (value: number) => new Array<number>(channels).fill(value);
  const fields: [tag: number, type: number, values: number[]][] = [
    [256, long, [width]],
    [257, long, [height]],
    [258, short, each(samples.BYTES_PER_ELEMENT * 8)],
    [259, short, [1]],
    [262, short, [colours === 3 ? 2 : 1]],
    [273, long, [0]],
    [277, short, [channels]],
    [278, long, [height]],
    [279, long, [data.length]],
    ...(alpha ? [[338, short, [2]] as [number, number, number[]]] : []),
    [339, short, each(kind)],
  ];
  const directory = Buffer.alloc(2 + fields.length * 12 + 4);
  directory.writeUInt16LE(fields.length, 0);
  const behind: Buffer[] = [];
  let end = 8 + directory.length;
  for (const [i, [tag, type, values]] of fields.entries()) {
    const at = 2 + i * 12;
    directory.writeUInt16LE(tag, at);
    directory.writeUInt16LE(type, at + 2);
    directory.writeUInt32LE(values.length, at + 4);
    const bytes = Buffer.from(
      type === short ? Uint16Array.from(values).buffer : Uint32Array.from(values).buffer,
    );
    if (bytes.length <= 4) bytes.copy(directory, at + 8);
    else {
      directory.writeUInt32LE(end, at + 8);
      behind.push(bytes);
      end += bytes.length;
    }
  }
  directory.writeUInt32LE(end, 2 + 5 * 12 + 8);
  return Buffer.concat([Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0]), directory, ...behind, data]);
}
