"""Writes student.onnx and checks it against PyTorch on real crops."""

import io
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leaf.cache import Pixels
from leaf.errors import TrainerError
from leaf.heatmap import local_scores
from leaf.out_of_distribution import Domain
from leaf.students import Student

MAX_DIFFERENCE = 1e-3
Outputs = dict[str, NDArray[np.float32]]


class Exported(nn.Module):
    """What student.onnx computes: the score, and what explains it and says how far it can be trusted."""

    def __init__(self, student: Student, domain: Domain | None) -> None:
        super().__init__()
        self.student = student
        self.domain = domain
        self.names = ["score", "features", "map", *([] if domain is None else ["distance"])]

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        score, features, last = self.student.look(pixels)
        found = (score, features, local_scores(self.student, last))
        return found if self.domain is None else (*found, self.domain(features))


def export(student: Student, crops: list[Pixels], path: Path, domain: Domain | None = None) -> float:
    """Exports `pixels` uint8 [N, crop, crop, 3] -> `score` [N], `features` [N, D], `map` [N, h, w].

    N is free. The spatial mean of `map` is the score; with a domain there is `distance` [N] too.

    Returns the largest difference of scores of onnxruntime and PyTorch (float32, CPU) on the given crops,
    asked as one batch and one by one; raises TrainerError("failed") above 1e-3, or where another output
    differs by more than that share of its largest value.
    """
    import onnx

    exported = Exported(student.cpu(), None if domain is None else domain.cpu()).eval()
    crop = student.architecture["crop"]
    # Two, since the exporter would take a size of 1 for a constant.
    example = torch.zeros(2, crop, crop, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        exported,
        (example,),
        dynamo=True,
        input_names=["pixels"],
        output_names=exported.names,
        dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
        verbose=False,
    )
    if program is None:
        raise TrainerError("failed", "The export to ONNX gave no model.")
    model = program.model_proto
    _forget_sources(model)
    data = model.SerializeToString()
    onnx.checker.check_model(onnx.load(io.BytesIO(data)))
    differences = _differences(exported, crops, data)
    for name, difference in differences.items():
        if not difference <= MAX_DIFFERENCE:
            raise TrainerError(
                "failed",
                f"The exported student's {name} is {difference:.3g} off the trained one's on real crops.",
            )
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
    return differences["score"]


def _forget_sources(model: "onnx.ModelProto") -> None:  # type: ignore[name-defined]  # noqa: F821
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


def _differences(exported: Exported, crops: list[Pixels], data: bytes) -> dict[str, float]:
    """Of each output: the largest difference; for all but the score as a share of its largest value."""
    import onnxruntime

    # Windows reports through the system, whatever the environment says.
    onnxruntime.disable_telemetry_events()

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    pixels = np.stack(crops)
    with torch.no_grad():
        expected: Outputs = {
            name: value.numpy()
            for name, value in zip(exported.names, exported(torch.from_numpy(pixels)), strict=True)
        }
    together = session.run(exported.names, {"pixels": pixels})
    single = [session.run(exported.names, {"pixels": pixels[i : i + 1]}) for i in range(len(pixels))]
    differences = {}
    for i, (name, value) in enumerate(expected.items()):
        found = (together[i], np.concatenate([one[i] for one in single]))
        largest = max(float(np.abs(one - value).max()) for one in found)
        differences[name] = largest if name == "score" else largest / max(1.0, float(np.abs(value).max()))
    return differences
