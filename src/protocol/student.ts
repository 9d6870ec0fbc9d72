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
