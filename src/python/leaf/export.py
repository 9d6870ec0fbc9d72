"""Writes student.onnx and checks it against PyTorch on real crops."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from leaf import graphs
from leaf.cache import Pixels
from leaf.errors import TrainerError
from leaf.heatmap import local_scores
from leaf.levels import flat, layout
from leaf.out_of_distribution import Domain
from leaf.students import Student

MAX_DIFFERENCE = 1e-3


class Exported(nn.Module):
    """What student.onnx computes: the score, and what explains it and says how far it can be trusted.

    `names` are its outputs. `inner` are values of the graph that have these names without being outputs, so
    that a head can be built on the file by the onnx package alone: of each level i of levels.py the map
    `level_<i>_map` [N, C, h, w], its `level_<i>_mean` [N, C] and, where it has one, `level_<i>_sd` [N, C].
    """

    def __init__(self, student: Student, domain: Domain | None) -> None:
        super().__init__()
        self.student = student
        self.domain = domain
        self.names = ["score", "features", "map", *([] if domain is None else ["distance"]), "levels"]
        self.names[1:1] = [f"score_{name}" for name in student.targets]
        self.inner = [
            f"{part.name}_{kind}"
            for part in layout(student).parts
            for kind in ("map", "mean", *([] if part.sd is None else ["sd"]))
        ]

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        score, features, last, maps = self.student.look_deep(pixels)
        levels, pairs = flat(self.student, maps)
        inner = [x for one, pair in zip(maps, pairs, strict=True) for x in (one, *pair) if x is not None]
        distance = [] if self.domain is None else [self.domain(features)]
        scores = [score] if score.ndim == 1 else score.unbind(1)
        return (*scores, features, local_scores(self.student, last), *distance, levels, *inner)


def export(
    student: Student,
    crops: list[Pixels],
    path: Path,
    domain: Domain | None = None,
    whole: list[Pixels] | None = None,
) -> float:
    """Exports `pixels` uint8 [N, crop, crop, 3] -> `score` [N], `features` [N, D], `map` [N, h, w],
    `levels` [N, L], and `score_<name>` [N] of each target beside the main one.

    N is free, and with `whole`, pictures of any size, so are height and width, from the crop on. The spatial
    mean of `map` is the score; with a domain there is `distance` [N] too. See Exported for the names inside.

    Returns the largest difference of scores of onnxruntime and PyTorch (float32, CPU) on the given crops,
    asked as one batch and one by one, and on the whole pictures and odd parts of them; raises
    TrainerError("failed") above 1e-3, or where another output differs by more than that share of its largest
    value.
    """
    exported = Exported(student.cpu(), None if domain is None else domain.cpu()).eval()
    crop = student.architecture["crop"]
    tried = [np.stack(crops), *(crop_[None] for crop_ in crops)]
    for picture in whole or []:
        # Halves that are not whole numbers come with odd sizes.
        height, width = (max(crop, side - 1 - side % 2) for side in picture.shape[:2])
        tried += [picture[None], picture[None, :height, :width]]
    key = graphs.key_of(exported, student.architecture["config"], crop, whole is not None, exported.names)
    found = _from_kept(key, exported, tried)
    if found is None:
        traced = _traced(exported, crop, whole is not None)
        graphs.keep(key, traced, exported)
        found = _compared(traced, exported, tried)
    data, differences = found
    for name, difference in differences.items():
        if not difference <= MAX_DIFFERENCE:
            raise TrainerError(
                "failed",
                f"The exported student's {name} is {difference:.3g} off the trained one's on real crops.",
            )
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
    return max(one for name, one in differences.items() if name.startswith("score"))


def _from_kept(key: str, exported: Exported, tried: list[Pixels]) -> tuple[bytes, dict[str, float]] | None:
    """By a kept graph; None where there is none, or it is wrong in any way: then the network is traced."""
    kept = graphs.read(key, exported)
    if kept is None:
        return None
    try:
        data, differences = _compared(kept, exported, tried)
    except Exception:
        return None
    return (data, differences) if max(differences.values()) <= MAX_DIFFERENCE else None


def _compared(
    model: onnx.ModelProto, exported: Exported, tried: list[Pixels]
) -> tuple[bytes, dict[str, float]]:
    data = _file(model, exported)
    return data, _differences(exported, tried, data)


def _file(model: onnx.ModelProto, exported: Exported) -> bytes:
    """The bytes of student.onnx, from a graph with weights as it was traced."""
    found = graphs.optimise(model)
    _forget_sources(found)
    outputs = {value.name: value for value in found.graph.output}
    del found.graph.output[:]
    found.graph.output.extend(outputs[name] for name in exported.names)
    data: bytes = found.SerializeToString()
    onnx.checker.check_model(onnx.load(io.BytesIO(data)))
    return data


def _traced(exported: Exported, crop: int, any_size: bool) -> onnx.ModelProto:
    dim = torch.export.Dim
    shapes: dict[int, Any] = {0: dim("N", min=1)}
    # Two, since the exporter would take a size of 1 for a constant; nor may two sizes be equal that are free.
    size = [crop, crop]
    if any_size:
        shapes |= {1: dim("H", min=crop), 2: dim("W", min=crop)}
        size = [crop + 13, crop + 37]
    try:
        program = torch.onnx.export(
            exported,
            (torch.zeros(2, *size, 3, dtype=torch.uint8),),
            dynamo=True,
            input_names=["pixels"],
            output_names=[*exported.names, *exported.inner],
            dynamic_shapes=(shapes,),
            optimize=False,
            verbose=False,
        )
    except torch.onnx.errors.OnnxExporterError as error:
        if not any_size:
            raise
        model = exported.student.architecture["model"]
        raise TrainerError(
            "failed",
            f"The student {model} cannot be exported for pictures of any size.",
            "Set student.input.views to 5.",
        ) from error
    if program is None:
        raise TrainerError("failed", "The export to ONNX gave no model.")
    model = program.model_proto
    _forget_sources(model)
    return model


def _forget_sources(model: onnx.ModelProto) -> None:
    """Drops the exporter's notes: they hold stack traces with this machine's paths."""
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        del graph.metadata_props[:]
        for value in [*graph.value_info]:
            del value.metadata_props[:]
        for node in graph.node:
            del node.metadata_props[:]
            node.doc_string = ""
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    del model.metadata_props[:]


def _differences(exported: Exported, tried: list[Pixels], data: bytes) -> dict[str, float]:
    """Of each output: the largest difference; for all but the score as a share of its largest value."""
    import onnxruntime

    # Windows reports through the system, whatever the environment says.
    onnxruntime.disable_telemetry_events()

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    differences = dict.fromkeys(exported.names, 0.0)
    for pixels in tried:
        with torch.no_grad():
            expected = exported(torch.from_numpy(np.array(pixels)))
        found = session.run(exported.names, {"pixels": pixels})
        for name, wanted, given in zip(exported.names, expected, found, strict=False):
            value = wanted.numpy()
            scale = 1.0 if name.startswith("score") else max(1.0, float(np.abs(value).max()))
            # Unlike max() this keeps a NaN.
            differences[name] = float(np.maximum(differences[name], np.abs(given - value).max() / scale))
    return differences
