"""Puts the fitted head into the student's ONNX file, by the onnx package alone.

In: one or two networks with `levels` and, of each level i, the values `level_<i>_map`, `_mean` and `_sd`
inside. Out: `score`, `sd`, `map` (local scores whose mean is the score), `features`, `distance` and `levels`
of the first, and `score_<name>` and `sd_<name>` of each target beside the main one.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.compose
import onnx.inliner
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from leaf.contract.head import HeadNetwork
from leaf.errors import TrainerError
from leaf.head.fit import Fit, Part

Array = NDArray[np.float64]
OPSET = 18


class _Graph:
    """Nodes and constants that are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, value: Array | NDArray[np.int64] | float | list[int]) -> str:
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"head_constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        output = name or f"head_{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output


def compose(
    fit: Fit, networks: Sequence[HeadNetwork], path: Path, beside: Mapping[str, Fit] | None = None
) -> int:
    """Writes the student; returns how many weights it has. Raises TrainerError("input").

    `beside`: of targets beside the main one, by name, on the same networks.
    """
    used = [network for network in networks if network.name in fit.networks]
    graph = _Graph()
    models = [_prefixed(network) for network in used]
    outputs = [
        *_head(graph, fit, ""),
        helper.make_tensor_value_info("map", TensorProto.FLOAT, ["N", "h", "w"]),
    ]
    _heat(graph, fit, used)
    for name, one in (beside or {}).items():
        outputs += _head(graph, one, f"_{name}")
    model = _merged(models, graph, used[0].name, outputs)
    data = model.SerializeToString()
    onnx.checker.check_model(data)
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
    return sum(int(np.prod(one.dims)) for one in model.graph.initializer)


def _head(graph: _Graph, fit: Fit, suffix: str) -> list[ValueInfoProto]:
    """`score` and `sd`, with the suffix."""
    centred = graph.add("Sub", _features(graph, fit), graph.constant(fit.scaled.mean))
    phi = graph.add("Mul", centred, graph.constant(_factor(fit)))
    _score(graph, fit, phi, f"score{suffix}")
    _deviation(graph, fit, phi, f"sd{suffix}")
    outputs = [
        helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"]),
        helper.make_tensor_value_info("sd", TensorProto.FLOAT, ["N"]),
    ]
    for output in outputs:
        output.name += suffix
    return outputs


def _factor(fit: Fit) -> Array:
    """phi = (x - mean) factor."""
    return fit.root / fit.scaled.scale


def _inner(part: Part) -> str:
    """The value inside the network that has a block's features: [N, C], or [N] for a score."""
    if not part.score:
        return f"{part.network}_{part.level}_{part.kind}"
    return f"{part.network}_score" + (f"_{part.target}" if part.target else "")


def _prefixed(network: HeadNetwork) -> ModelProto:
    model = onnx.load(network.onnx)
    # It writes the model out and reads it again.
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    if model.opset_import[0].version < OPSET:
        raise TrainerError("input", f"{network.onnx} is of an older LEAF.", "Run `leaf distill` again.")
    return onnx.compose.add_prefix(model, f"{network.name}_", inplace=True)


def _features(graph: _Graph, fit: Fit) -> str:
    """The features in the order of the fit: [N, D]."""
    values = []
    for part in fit.scaled.parts:
        value = _inner(part)
        if part.score:
            value = graph.add("Unsqueeze", value, graph.constant([1]))
        values.append(value)
    return graph.add("Concat", *values, axis=1)


def _score(graph: _Graph, fit: Fit, phi: str, name: str) -> None:
    found = graph.add("MatMul", phi, graph.constant(fit.posterior.weights[:, None]))
    flat = graph.add("Squeeze", found, graph.constant([1]))
    graph.add("Add", flat, graph.constant(fit.posterior.mean), name=name)


def _deviation(graph: _Graph, fit: Fit, phi: str, name: str) -> None:
    """As Posterior.predict()."""
    found = fit.posterior
    axis = graph.constant([1])
    prior = graph.add("ReduceSum", graph.add("Mul", phi, phi), axis, keepdims=0)
    seen = graph.add("MatMul", phi, graph.constant(found.directions.T))
    known = graph.add("ReduceSum", graph.add("Mul", seen, seen), axis, keepdims=0)
    left = graph.add("Relu", graph.add("Sub", prior, known))
    level = graph.add("Squeeze", graph.add("MatMul", phi, graph.constant(found.level[:, None])), axis)
    off = graph.add("Sub", graph.constant(1.0), level)
    mean = graph.add("Div", graph.add("Mul", off, off), graph.constant(found.total))
    variance = graph.add("Add", graph.add("Add", left, mean), graph.constant(1.0))
    graph.add("Sqrt", graph.add("Mul", variance, graph.constant(found.noise)), name=name)


def _heat(graph: _Graph, fit: Fit, used: Sequence[HeadNetwork]) -> None:
    """What each place adds to the score, level by level, on the grid of the coarsest map.

    A level's means come from the map x itself and its deviations s from ((x - m)^2 + eps) / s, so the mean
    over places is the score, but for borders where a finer map is averaged: a constant makes up for those.
    """
    slope = fit.posterior.weights * _factor(fit)
    first = used[0]
    coarsest = max(first.levels.parts, key=lambda one: one.stride)
    grid = graph.add("Shape", f"{first.name}_{coarsest.name}_map", start=2)
    added: list[str] = []
    for part, where in zip(fit.scaled.parts, fit.scaled.slices, strict=True):
        network = next(one for one in used if one.name == part.network)
        if part.score:
            local = graph.add("Unsqueeze", f"{part.network}_map", graph.constant([1]))
            local = graph.add("Mul", local, graph.constant(float(slope[where][0])))
            stride = coarsest.stride
        else:
            local = _local(graph, part, slope[where], network.levels.eps)
            stride = next(one.stride for one in network.levels.parts if one.name == part.level)
        added.append(_on_grid(graph, local, max(1, coarsest.stride // stride), grid))
    total = graph.add("Squeeze", graph.add("Sum", *added), graph.constant([1]))
    mean = graph.add("ReduceMean", total, graph.constant([1, 2]), keepdims=1)
    score = graph.add("Unsqueeze", "score", graph.constant([1, 2]))
    graph.add("Add", graph.add("Sub", total, mean), score, name="map")


def _local(graph: _Graph, part: Part, slope: Array, eps: float) -> str:
    """[N, 1, h, w]: what each place of a map adds."""
    levels = f"{part.network}_{part.level}_map"
    if part.kind == "mean":
        return graph.add("Conv", levels, graph.constant(slope.reshape(1, -1, 1, 1)))
    spatial = graph.constant([2, 3])
    mean = graph.add("Unsqueeze", f"{part.network}_{part.level}_mean", spatial)
    away = graph.add("Sub", levels, mean)
    squares = graph.add("Add", graph.add("Mul", away, away), graph.constant(eps))
    weight = graph.add("Div", graph.constant(slope), _inner(part))
    weighed = graph.add("Mul", squares, graph.add("Unsqueeze", weight, spatial))
    return graph.add("ReduceSum", weighed, graph.constant([1]), keepdims=1)


def _on_grid(graph: _Graph, local: str, by: int, grid: str) -> str:
    if by > 1:
        sides = [by, by]
        local = graph.add(
            "AveragePool", local, ceil_mode=1, count_include_pad=0, kernel_shape=sides, strides=sides
        )
    size = graph.add("Concat", graph.add("Shape", local, end=2), grid, axis=0)
    return graph.add("Resize", local, "", "", size, mode="linear")


def _merged(models: list[ModelProto], graph: _Graph, first: str, outputs: list[ValueInfoProto]) -> ModelProto:
    """One file of the networks and the heads; `features`, `distance` and `levels` are the first network's."""
    pixels = ValueInfoProto()
    pixels.CopyFrom(models[0].graph.input[0])
    pixels.name = "pixels"
    nodes = [helper.make_node("Identity", ["pixels"], [model.graph.input[0].name]) for model in models]
    for value in models[0].graph.output:
        name = value.name.removeprefix(f"{first}_")
        if name in ("features", "distance", "levels"):
            graph.nodes.append(helper.make_node("Identity", [value.name], [name]))
            outputs.append(ValueInfoProto())
            outputs[-1].CopyFrom(value)
            outputs[-1].name = name
    merged = helper.make_graph(
        [*nodes, *(node for model in models for node in model.graph.node), *graph.nodes],
        "student",
        [pixels],
        outputs,
        [*(one for model in models for one in model.graph.initializer), *graph.constants],
    )
    return helper.make_model(
        merged, opset_imports=models[0].opset_import, ir_version=models[0].ir_version, producer_name="LEAF"
    )
