/** Just enough of onnx.proto3 to write small networks by hand: a student that is not what it should be. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return Buffer.from([...bytes, left]);
    bytes.push((left % 128) + 128);
  }
}
export const number = (field: number, value: number) => Buffer.concat([varint(field * 8), varint(value)]);
export const bytes = (field: number, value: Uint8Array) =>
  Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
export const text = (field: number, value: string) => bytes(field, Buffer.from(value));
export const message = (field: number, ...parts: Buffer[]) => bytes(field, Buffer.concat(parts));

export const types = { float32: 1, uint8: 2, int64: 7 };

/** ValueInfoProto. */
function valueInfo(field: number, name: string, type: number, shape: (number | string)[]): Buffer {
  const extents = shape.map((one) => message(1, typeof one === "number" ? number(1, one) : text(2, one)));
  return message(field, text(1, name), message(2, message(1, number(1, type), message(2, ...extents))));
}

const node = (op: string, inputs: string[], outputs: string[], ...attributes: Buffer[]) =>
  message(
    1,
    ...inputs.map((one) => text(1, one)),
    ...outputs.map((one) => text(2, one)),
    text(4, op),
    ...attributes,
  );
const integer = (name: string, value: number) => message(5, text(1, name), number(3, value), number(20, 2));

/** A float tensor with its values, or with an address of them. */
export function tensor(name: string, values: Float32Array | { location: string }): Buffer[] {
  const size = values instanceof Float32Array ? values.length : 16;
  const start = [number(1, size), number(2, types.float32), text(8, name)];
  if (values instanceof Float32Array) return [...start, bytes(9, new Uint8Array(values.buffer))];
  return [
    ...start,
    message(13, text(1, "location"), text(2, values.location)),
    message(13, text(1, "length"), text(2, "64")),
    number(14, 1),
  ];
}

export interface SmallNetwork {
  input?: string;
  inputType?: number;
  inputShape?: (number | string)[];
  output?: string;
  /** Another output: the score below 0. */
  beside?: string;
  /** Added to each score. */
  weights?: Float32Array | { location: string };
}

/** Scores each view [n, crop, crop, 3] by its mean and the sum of the weights. */
export function smallNetwork(crop: number, made: SmallNetwork = {}): Buffer {
  const { input = "pixels", inputType = types.uint8, output = "score" } = made;
  const { inputShape = ["n", crop, crop, 3], weights = new Float32Array(16) } = made;
  const { beside } = made;
  const axis = [
    number(1, 1),
    number(2, types.int64),
    text(8, "axis"),
    bytes(9, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])),
  ];
  const graph = message(
    7,
    node("Cast", [input], ["float"], integer("to", types.float32)),
    node("Flatten", ["float"], ["flat"], integer("axis", 1)),
    node("ReduceMean", ["flat", "axis"], ["mean"], integer("keepdims", 0)),
    node("ReduceSum", ["w"], ["sum"], integer("keepdims", 0)),
    node("Add", ["mean", "sum"], [output]),
    ...(beside === undefined ? [] : [node("Neg", [output], [beside])]),
    text(2, "small"),
    message(5, ...tensor("w", weights)),
    message(5, ...axis),
    valueInfo(11, input, inputType, inputShape),
    valueInfo(12, output, types.float32, ["n"]),
    ...(beside === undefined ? [] : [valueInfo(12, beside, types.float32, ["n"])]),
  );
  return Buffer.concat([number(1, 9), message(8, number(2, 18)), graph]);
}
