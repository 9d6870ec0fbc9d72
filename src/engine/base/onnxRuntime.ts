import "./noTelemetry.ts";
import { createRequire } from "node:module";
import type * as OnnxRuntime from "onnxruntime-node";
import { lazily } from "./lazily.ts";

// The one place that loads it. Not an import: of an external package a bundle's imports come before all of its own code,
// and onnxruntime would report home.
const require = createRequire(import.meta.url);
const load = () => require("onnxruntime-node") as typeof OnnxRuntime;
export const InferenceSession = lazily(() => load().InferenceSession);
export const Tensor = lazily(() => load().Tensor);
/** Of a session, as its `extra`: threads that wait for work in a loop would take the cores from decoders and other programs. */
export const sleepingThreads = { session: { intra_op: { allow_spinning: "0" } } };
export type InferenceSession = OnnxRuntime.InferenceSession;
export type Tensor = OnnxRuntime.Tensor;
