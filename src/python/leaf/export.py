"""Writes student.onnx and checks it against PyTorch on real crops."""

import io
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from leaf.cache import Pixels
from leaf.errors import TrainerError
from leaf.students import Student

MAX_DIFFERENCE = 1e-3


def export(student: Student, crops: list[Pixels], path: Path) -> float:
    """Exports `pixels` uint8 [N, crop, crop, 3] -> `score` [N], `features` [N, D]; N is free.

    Returns the largest difference of scores of onnxruntime and PyTorch (float32, CPU) on the given crops,
    asked as one batch and one by one; raises TrainerError("failed") above 1e-3.
    """
    import onnx

    student = student.cpu().eval()
    crop = student.architecture["crop"]
    # Two, since the exporter would take a size of 1 for a constant.
    example = torch.zeros(2, crop, crop, 3, dtype=torch.uint8)
    program = torch.onnx.export(
        student,
        (example,),
        dynamo=True,
        input_names=["pixels"],
        output_names=["score", "features"],
        dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
        verbose=False,
    )
    if program is None:
        raise TrainerError("failed", "The export to ONNX gave no model.")
    model = program.model_proto
    _forget_sources(model)
    data = model.SerializeToString()
    onnx.checker.check_model(onnx.load(io.BytesIO(data)))
    difference = _difference(student, crops, data)
    if not difference <= MAX_DIFFERENCE:
        raise TrainerError(
            "failed", f"The exported student differs from the trained one by {difference:.3g} on real crops."
        )
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
    return difference


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


def _difference(student: Student, crops: list[Pixels], data: bytes) -> float:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    pixels = np.stack(crops)
    with torch.no_grad():
        expected: NDArray[np.float32] = student(torch.from_numpy(pixels))[0].numpy()
    together = session.run(["score"], {"pixels": pixels})[0]
    single = np.concatenate(
        [session.run(["score"], {"pixels": pixels[i : i + 1]})[0] for i in range(len(pixels))]
    )
    return float(max(np.abs(together - expected).max(), np.abs(single - expected).max()))
