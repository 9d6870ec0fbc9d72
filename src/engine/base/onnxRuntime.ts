import "./noTelemetry.ts";
import { createRequire } from "node:module";
import type * as OnnxRuntime from "onnxruntime-node";

// The one place that loads it. Not an import: of an external package a bundle's imports come before all of its own code,
// and onnxruntime would report home.
const load = createRequire(import.meta.url);
export const { InferenceSession, Tensor } = load("onnxruntime-node") as typeof OnnxRuntime;
export type InferenceSession = OnnxRuntime.InferenceSession;
export type Tensor = OnnxRuntime.Tensor;
