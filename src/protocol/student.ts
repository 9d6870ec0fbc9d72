/**
 * The `distance` output is the Mahalanobis distance of an image's features from those of the training images (covariance shrunk as
 * by Ledoit and Wolf); above `threshold`, the `quantile` of `heldOut` images that it was not trained on, an image is far.
 */
export interface DomainFacts {
  threshold: number;
  quantile: number;
  /** Images that mean and covariance are of. */
  fitted: number;
  heldOut: number;
  /** Share of the identity in the covariance, 0..1. */
  shrinkage: number;
}

/** `student.json`: everything needed to score with `student.onnx`, and where it comes from. */
export interface StudentCard {
  v: 1;
  stage: "distill" | "calibrate";
  model: string;
  input: { resize: number | null; crop: number; views: 1 | 5 };
  /** Where the student's 1..5 lies on the human scale; null until calibrated. */
  mosScale: { range: [number, number]; lowerIsBetter: boolean } | null;
  parameters: number;
  /** Largest difference of a score between PyTorch and ONNX Runtime on real crops. */
  exportMaxDifference: number;
  /** Outputs of student.onnx beside `score`; absent in students of LEAF 0.1.0, which have `features` alone. */
  outputs?: ("features" | "map" | "distance")[];
  /** When an image is unlike those it was distilled on; null where these were too few to tell. */
  domain?: DomainFacts | null;
  provenance: {
    leaf: string;
    created: string;
    stageKey: string;
    teacher: string | null;
    images: number;
    torch: string;
    device: string;
  };
}
