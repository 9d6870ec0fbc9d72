"""Two networks in one graph, where what both compute alike is computed once; plain statistics beside them."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from plain import FULL_WEIGHT, LAPLACIAN, LUMA, MID_GREY

HEAD = ("head.weight", "head.bias")


def any_size(model: onnx.ModelProto) -> onnx.ModelProto:
    """The network is convolutional and pools over all it sees: only its input's shape says otherwise."""
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, name in zip(dims[1:3], ("height", "width"), strict=True):
        dim.ClearField("dim_value")
        dim.dim_param = name
    del model.graph.value_info[:]
    return model


def mean_of(
    first: onnx.ModelProto, second: onnx.ModelProto, slope: float, intercept: float
) -> onnx.ModelProto:
    """slope * (first + second) / 2 + intercept, as one graph; line and mean lie in the heads."""
    initializers: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []
    stored: dict[tuple[object, ...], str] = {}
    done: dict[tuple[object, ...], list[str]] = {}
    for number, model in enumerate((first, second)):
        now = {"pixels": "pixels"}
        for tensor in model.graph.initializer:
            x = numpy_helper.to_array(tensor)
            if tensor.name in HEAD:
                shift = intercept / 2 if tensor.name == HEAD[1] else 0.0
                x = np.asarray(x * (slope / 2) + shift, x.dtype)
            key: tuple[object, ...] = (x.dtype.str, x.shape, x.tobytes())
            if key not in stored:
                stored[key] = f"{'ab'[number]}.{tensor.name}"
                initializers.append(numpy_helper.from_array(x, stored[key]))
            now[tensor.name] = stored[key]
        for node in model.graph.node:
            inputs = [now[name] if name else "" for name in node.input]
            attributes = tuple(sorted(a.SerializeToString() for a in node.attribute))
            key = (node.op_type, tuple(inputs), attributes)
            if key not in done:
                done[key] = [f"{'ab'[number]}.{name}" for name in node.output]
                copy = onnx.NodeProto()
                copy.CopyFrom(node)
                copy.name = f"{'ab'[number]}.{node.name}"
                copy.input[:], copy.output[:] = inputs, done[key]
                nodes.append(copy)
            now |= dict(zip(node.output, done[key], strict=True))
    nodes.append(helper.make_node("Add", ["a.mu", "b.mu"], ["mu"], name="mean"))
    graph = helper.make_graph(nodes, "teacher", first.graph.input, first.graph.output, initializers)
    model = helper.make_model(graph, opset_imports=first.opset_import, ir_version=first.ir_version)
    onnx.checker.check_model(model)
    return model


def with_plain(
    model: onnx.ModelProto,
    centre: NDArray[np.float64],
    deviation: NDArray[np.float64],
    sharpest: float,
    to_scale: tuple[float, float],
) -> onnx.ModelProto:
    """slope (mu + weight (sharpness + light)) + intercept, each less its centre and over its deviation."""
    slope, intercept = to_scale
    constants: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def constant(value: object, kind: type = np.float32) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value, kind), f"plain.{len(constants)}"))
        return str(constants[-1].name)

    def add(kind: str, *inputs: str, name: str | None = None, **attributes: object) -> str:
        name = name or f"plain.{kind.lower()}.{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def cast(value: str) -> str:
        return add("Cast", value, to=onnx.TensorProto.FLOAT)

    def over_space(value: str) -> str:
        return add("ReduceMean", value, constant([1, 2, 3], np.int64), keepdims=0)

    laplacian = constant(np.array(LAPLACIAN)[None, None])

    def energy(y: str) -> str:
        edges = add("Conv", y, laplacian)
        power = over_space(add("Mul", edges, edges))
        return add("Log", add("Add", add("Sqrt", power), constant(1)))

    def standard(value: str, at: int) -> str:
        factor = slope / deviation[at]
        return add("Add", add("Mul", value, constant(factor)), constant(-centre[at] * factor))

    channels = add("Transpose", cast("pixels"), perm=[0, 3, 1, 2])
    luma = add("Conv", channels, constant(np.array(LUMA)[None, :, None, None]))
    half = add("AveragePool", luma, kernel_shape=[2, 2], strides=[2, 2])
    sharpness = add("Sub", add("Mul", energy(luma), constant(2)), energy(half))
    sharpness = add("Min", sharpness, constant(sharpest))
    light = add("Min", over_space(luma), constant(MID_GREY))
    sides = cast(add("Shape", "pixels", start=1, end=3))
    area = add("ReduceProd", sides, constant([0], np.int64), keepdims=0)
    weight = add("Min", add("Div", area, constant(FULL_WEIGHT)), constant(1))
    beside = add("Mul", weight, add("Add", standard(sharpness, 1), standard(light, 2)))
    for node in model.graph.node:
        node.output[:] = ["second.mu" if name == "mu" else name for name in node.output]
    add("Add", add("Add", standard("second.mu", 0), beside), constant(intercept), name="mu")
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(constants)
    onnx.checker.check_model(model)
    return model
