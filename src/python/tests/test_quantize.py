"""leaf.quantize on a small network: what becomes integers, what stays, and that the score stays with it."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from leaf.cache import TensorCache
from leaf.quantize import FIRST, kept_in_floats, quantize

CROP, WIDTH, CONVS = 24, 8, 9
rng = np.random.default_rng(0)


def network(path: Path) -> Path:
    """uint8 [N, CROP, CROP, 3] through 1 x 1 and one depthwise convolution, a spatial mean and a product."""
    constants = [
        numpy_helper.from_array(np.array([2, 3]), "space"),
        numpy_helper.from_array(np.array([-1]), "flat"),
        numpy_helper.from_array(np.float32(1 / 255), "unit"),
        numpy_helper.from_array(rng.normal(0, 1, (WIDTH, 1)).astype(np.float32), "head"),
        numpy_helper.from_array(rng.normal(0, 1, (WIDTH, 1, 3, 3)).astype(np.float32), "single"),
    ]
    nodes = [
        helper.make_node("Cast", ["pixels"], ["values"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["values", "unit"], ["units"]),
        helper.make_node("Transpose", ["units"], ["x0"], perm=[0, 3, 1, 2]),
    ]
    for i in range(CONVS):
        shape = (WIDTH, 3 if i == 0 else WIDTH, 1, 1)
        weights = rng.normal(0, (2 / shape[1]) ** 0.5, shape).astype(np.float32)
        constants.append(numpy_helper.from_array(weights, f"w{i}"))
        nodes.append(helper.make_node("Conv", [f"x{i}", f"w{i}"], [f"c{i}"], f"conv{i}"))
        nodes.append(helper.make_node("Relu", [f"c{i}"], [f"x{i + 1}"]))
    nodes += [
        helper.make_node("Conv", [f"x{CONVS}", "single"], ["wide"], "depthwise", group=WIDTH),
        helper.make_node("ReduceMean", ["wide", "space"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "head"], ["column"], "head"),
        helper.make_node("Reshape", ["column", "flat"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "student",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", CROP, CROP, 3])],
        [
            helper.make_tensor_value_info("score", TensorProto.FLOAT, ["N"]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", WIDTH]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def cached(folder: Path, pictures: list[np.ndarray]) -> TensorCache:
    folder.mkdir()
    offsets = np.cumsum([0, *(picture.size for picture in pictures[:-1])])
    sizes = [picture.shape[:2] for picture in pictures]
    index = np.array([(at, *size) for at, size in zip(offsets, sizes, strict=True)], "<i8")
    index.tofile(folder / "index.i64")
    np.concatenate([picture.ravel() for picture in pictures]).tofile(folder / "pixels.u8")
    (folder / "hashes.txt").write_text("".join(f"{i:032x}\n" for i in range(len(pictures))))
    (folder / "cache.json").write_text(json.dumps({"v": 1, "rows": len(pictures), "resize": 24, "crop": 24}))
    return TensorCache(folder)


def pictures(count: int) -> list[np.ndarray]:
    colour = rng.integers(0, 256, (count, 1, 1, 3))
    grain = rng.integers(-40, 41, (count, CROP, CROP, 3))
    return list(np.clip(colour + grain, 0, 255).astype(np.uint8))


def test_products_become_integers_but_for_the_first_the_single_and_the_last(tmp_path: Path) -> None:
    model = network(tmp_path / "student.onnx")
    kept = [*(f"conv{i}" for i in range(FIRST)), "depthwise", "head"]
    assert kept_in_floats(onnx.load(model)) == sorted(kept)
    out = tmp_path / "int8.onnx"
    quantize(model, out, cached(tmp_path / "cache", pictures(12)), CROP, 1)
    graph = onnx.load(out).graph
    made = {output: node.op_type for node in graph.node for output in node.output}
    weights = {
        node.name: made.get(node.input[1]) for node in graph.node if node.op_type in ("Conv", "MatMul")
    }
    integers = {name for name, source in weights.items() if source == "DequantizeLinear"}
    assert integers == {f"conv{i}" for i in range(FIRST, CONVS)}
    views = np.stack(pictures(40))
    floats, rounded = (
        onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"pixels": views})
        for path in (model, out)
    )
    assert [one.shape for one in rounded] == [(40,), (40, WIDTH)]
    spread = float(floats[0].std())
    assert 0 < float(np.abs(floats[0] - rounded[0]).max()) < 0.1 * spread
