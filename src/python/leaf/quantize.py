"""`python -m leaf.quantize STUDENT.onnx OUT.onnx CACHE CROP VIEWS`: a student in 8-bit integers.

Static quantisation: what ranges the activations take is read off the pictures of a tensor cache. Weights have
a scale for each output channel, and 7 bits: CPUs without VNNI would else run over in 16 bits (ONNX Runtime,
"Quantize ONNX models", section on reduce_range).

In floats stay the first products, whose ranges are the widest, convolutions of single channels, which are
little work and suffer most, and what follows the pooled features.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx

from leaf.cache import Pixels, TensorCache, Views, eval_windows

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before onnxruntime, which else reports to Microsoft
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

QUANTIZED = ("Conv", "MatMul", "Gemm")
FIRST = 6


class Windows(CalibrationDataReader):  # type: ignore[misc]
    """The views of a cache's readable pictures, one at a time, uint8 [1, H, W, 3]."""

    def __init__(self, cache: TensorCache, crop: int, views: Views) -> None:
        self._left = self._all(cache, crop, views)

    @staticmethod
    def _all(cache: TensorCache, crop: int, views: Views) -> Iterator[Pixels]:
        for row in range(len(cache)):
            if cache.readable(row):
                yield from eval_windows(cache.picture(row), crop, views)

    def get_next(self) -> dict[str, Pixels] | None:
        window = next(self._left, None)
        return None if window is None else {"pixels": np.ascontiguousarray(window[None])}


def quantize(student: Path, out: Path, cache: TensorCache, crop: int, views: Views) -> None:
    """Writes `out`: the same inputs and outputs, with convolutions and matrix products in 8 bits."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(student, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            out,
            Windows(cache, crop, views),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTIZED),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=kept_in_floats(onnx.load(prepared)),
            calibrate_method=CalibrationMethod.MinMax,
        )


def kept_in_floats(model: onnx.ModelProto) -> list[str]:
    """Names of nodes; what follows the spatial mean has no height and width."""
    known = [*model.graph.value_info, *model.graph.output]
    ranks = {value.name: len(value.type.tensor_type.shape.dim) for value in known}
    products = [node for node in model.graph.node if node.op_type in QUANTIZED]
    single = [node for node in products if any(a.name == "group" and a.i > 1 for a in node.attribute)]
    heads = [node for node in products if ranks.get(node.output[0], 0) < 3]
    return sorted({node.name for node in [*products[:FIRST], *single, *heads]})


if __name__ == "__main__":
    model, out, cache, crop, views = sys.argv[1:]
    quantize(
        Path(model),
        Path(out),
        TensorCache(Path(cache)),
        int(crop),
        "whole" if views == "whole" else 5 if views == "5" else 1,
    )
