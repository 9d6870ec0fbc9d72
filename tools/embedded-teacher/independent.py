"""The shipped network by NumPy alone (float64), layer by layer, for the numbers that tests check against."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Map = NDArray[np.float64]
# Depthwise kernel and stride of EfficientNet-Lite0's blocks (Tan & Le 2019), and the blocks that are read.
BLOCKS = ((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1), (5, 1), (5, 1), (5, 1))
READ = (0, 2, 4, 7, 10)


def convolved(x: Map, weight: Map, bias: Map, stride: int = 1, depthwise: bool = False) -> Map:
    kernel = weight.shape[-1]
    room = kernel - stride if kernel > 1 else 0
    x = np.pad(x, ((0, 0), (room // 2, room - room // 2), (room // 2, room - room // 2)))
    height, width = ((n - kernel) // stride + 1 for n in x.shape[1:])
    out = np.zeros((len(weight), height, width)) + bias[:, None, None]
    for i in range(kernel):
        for j in range(kernel):
            part = x[:, i : i + stride * height : stride, j : j + stride * width : stride]
            part = part[:, :height, :width]
            kept = weight[:, :, i, j]
            out += kept[:, 0, None, None] * part if depthwise else np.tensordot(kept, part, 1)
    return out


def forward(model: onnx.ModelProto, pixels: NDArray[np.uint8]) -> float:
    """mu of one picture [H, W, 3]. Of the second network only what differs from the first is stored."""
    stored = {t.name: numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    return branch(stored, "a", pixels) + branch(stored, "b", pixels)


def branch(stored: dict[str, Map], name: str, pixels: NDArray[np.uint8]) -> float:
    def weights(layer: str) -> tuple[Map, Map]:
        own = name if f"{name}.{layer}.weight" in stored else "a"
        return stored[f"{own}.{layer}.weight"], stored[f"{own}.{layer}.weight_bias"]

    features: list[Map] = []

    def pool(x: Map) -> None:
        features.extend([x.mean((1, 2)), np.sqrt(x.var((1, 2)) + 1e-5)])

    x = (pixels.astype(np.float64).transpose(2, 0, 1) - 127) / 128
    x = np.clip(convolved(x, *weights("stem"), stride=2), 0, 6)
    pool(x)
    for i, (_, stride) in enumerate(BLOCKS):
        y = x
        if i > 0:
            y = np.clip(convolved(y, *weights(f"blocks.{i}._expand_conv")), 0, 6)
        y = np.clip(convolved(y, *weights(f"blocks.{i}._depthwise_conv"), stride, True), 0, 6)
        y = convolved(y, *weights(f"blocks.{i}._project_conv"))
        x = x + y if x.shape == y.shape else y
        if i in READ:
            pool(x)
    f = (np.concatenate(features) - stored[f"{name}.mean"]) * stored[f"{name}.scale"]
    return float(f @ stored[f"{name}.head.weight"][0] + stored[f"{name}.head.bias"][0])
