import type { Text } from "../../protocol/text.ts";
import { inEnglish, say } from "../../words/text.ts";

/**
 * A look at an ONNX file before ONNX Runtime sees it. A tensor may name a file to be read instead of holding its values (external
 * data): ONNX Runtime looks for it in the current folder, whoever made that. A student of LEAF is whole, so such a file is refused.
 * This walks the protobuf of onnx.proto3 by field numbers, and knows just those that lead to a tensor.
 */

/** Fields of a message that hold messages which may hold tensors. */
type Message = "model" | "graph" | "node" | "attribute" | "sparse" | "function" | "training" | "tensor";
const inner: Record<Message, Partial<Record<number, Message>>> = {
  model: { 7: "graph", 20: "training", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  function: { 7: "node", 11: "attribute" },
  training: { 1: "graph", 2: "graph" },
  tensor: {},
};
const [graphField, externalDataField, dataLocationField] = [7, 13, 14];
/** Graphs in graphs (If, Loop) deeper than this are nobody's network. */
const mostDepth = 100;

/** What is wrong with the file in a few words; undefined for a whole one. Never throws. */
export function onnxFault(bytes: Uint8Array): Text | undefined {
  try {
    const state = { graphs: 0 };
    walk(bytes, 0, bytes.length, "model", 0, state);
    if (state.graphs === 1) return undefined;
    return state.graphs === 0 ? say`it holds no network` : say`it holds several networks`;
  } catch (error) {
    if (error instanceof Fault) return error.words;
    throw error;
  }
}

class Fault extends Error {
  readonly words: Text;
  constructor(words: Text) {
    super(inEnglish(words));
    this.words = words;
  }
}

const broken = () => new Fault(say`it is cut off or damaged`);

function walk(
  bytes: Uint8Array,
  from: number,
  end: number,
  message: Message,
  depth: number,
  state: { graphs: number },
): void {
  if (depth > mostDepth) throw new Fault(say`it is nested too deeply`);
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw broken();
      const byte = bytes[at++]!;
      // Beyond 2^53 no digit counts: neither a length nor a field number is that large.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken();
  };
  const skip = (length: number) => {
    if (!(length <= end - at)) throw broken();
    at += length;
  };
  while (at < end) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (field === 0 || tag > 0xffffffff) throw broken();
    if (message === "tensor" && field === externalDataField)
      throw new Fault(say`it reads a part of the network from another file`);
    if (wire === 0) {
      const value = varint();
      if (message === "tensor" && field === dataLocationField && value !== 0)
        throw new Fault(say`it reads a part of the network from another file`);
    } else if (wire === 1) skip(8);
    else if (wire === 5) skip(4);
    else if (wire === 2) {
      const length = varint();
      const start = at;
      skip(length);
      if (message === "tensor" && field === dataLocationField) throw broken();
      const next = inner[message][field];
      if (message === "model" && field === graphField) state.graphs++;
      if (next) walk(bytes, start, at, next, depth + 1, state);
    } else throw broken();
  }
}
