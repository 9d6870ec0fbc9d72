"""Features of several depths, and students that take pictures of any size."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper
from test_explain import student_of
from world import synthetic, train_here

from leaf import checkpoint
from leaf.agreement import agreement
from leaf.cache import TensorCache
from leaf.export import export
from leaf.levels import layout, pooled
from leaf.rows import read_rows
from leaf.students import Student

# (channels, stride) of ConvNeXt-atto's stages; of Lite0's blocks 0, 2, 4, 8, 10, 15 and its head.
LEVELS = {
    "atto": [(40, 4), (80, 8), (160, 16), (320, 32)],
    "efficientnet-lite0": [(16, 2), (24, 4), (40, 8), (112, 16), (112, 16), (320, 32), (1280, 32)],
}
SIZES = [(2, 96, 96), (1, 131, 200), (1, 97, 96), (2, 160, 111)]


def modules_of(student: Student) -> list[Any]:
    network: Any = student.backbone
    if student.architecture["family"] != "efficientnet-lite0":
        return list(network.model.encoder.stages)
    return [*(network.model._blocks[i] for i in (0, 2, 4, 8, 10, 15)), network.model._bn1]


def maps_of(student: Student, pixels: np.ndarray) -> list[np.ndarray]:
    """By hooks on the modules whose outputs they are."""
    found: list[np.ndarray] = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: found.append(output.numpy()))
        for module in modules_of(student)
    ]
    with torch.no_grad():
        student(torch.from_numpy(pixels))
    for hook in hooks:
        hook.remove()
    if student.architecture["family"] == "efficientnet-lite0":
        found[-1] = found[-1].clip(0, 6)
    return [one.astype(np.float64) for one in found]


@pytest.mark.parametrize("model", ["atto", "efficientnet-lite0"])
def test_levels_are_exported_for_pictures_of_any_size(model: str, tmp_path: Path) -> None:
    student = student_of(model)
    rng = np.random.default_rng(7)
    batches = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) for size in SIZES]
    path = tmp_path / "student.onnx"
    whole = [batch[0] for batch in batches[1:]]
    assert export(student, list(batches[0]), path, whole=whole) < 1e-4

    about = layout(student)
    assert [(part.channels, part.stride) for part in about.parts] == LEVELS[model]
    loaded = onnx.load(path)
    assert [o.name for o in loaded.graph.output] == ["score", "features", "map", "levels"]
    inner = [f"{part.name}_{kind}" for part in about.parts for kind in ("map", "mean", "sd")]
    inner = [name for name in inner if name in {o for node in loaded.graph.node for o in node.output}]
    assert len(inner) == sum(2 + (part.sd is not None) for part in about.parts)
    # As a head would: the values inside have names of their own.
    loaded.graph.output.extend(helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in inner)
    session = onnxruntime.InferenceSession(loaded.SerializeToString(), providers=["CPUExecutionProvider"])
    for pixels in batches:
        names = ["levels", "map", *inner]
        found = dict(zip(names, session.run(names, {"pixels": pixels}), strict=True))
        assert found["levels"].shape == (len(pixels), about.dim)
        assert found["map"].shape[1:] == (pixels.shape[1] // 32, pixels.shape[2] // 32)
        for part, expected in zip(about.parts, maps_of(student, pixels), strict=True):
            shown = found[f"{part.name}_map"]
            scale = max(1.0, float(np.abs(expected).max()))
            assert shown.shape == expected.shape and np.abs(shown - expected).max() < 1e-4 * scale
            row = found["levels"][:, part.mean : part.mean + part.channels]
            assert np.allclose(row, expected.mean(axis=(2, 3)), atol=1e-4 * scale)
            assert np.allclose(row, found[f"{part.name}_mean"], atol=1e-6 * scale)
            if part.sd is None:
                continue
            row = found["levels"][:, part.sd : part.sd + part.channels]
            deviation = np.sqrt(expected.var(axis=(2, 3)) + about.eps)
            assert np.allclose(row, deviation, atol=1e-4 * scale)
            # What stands at each place, so that a linear head has an exact heat map.
            mean, sd = (found[f"{part.name}_{kind}"].astype(np.float64) for kind in ("mean", "sd"))
            local = ((shown - mean[:, :, None, None]) ** 2 + about.eps) / sd[:, :, None, None]
            assert np.allclose(local.mean(axis=(2, 3)), sd, rtol=1e-4, atol=1e-5)


def test_a_flat_map_has_a_deviation_with_a_gradient() -> None:
    flat = torch.full((1, 2, 3, 3), 5.0, requires_grad=True)
    mean, deviation = pooled(flat)
    (mean.sum() + deviation.sum()).backward()  # type: ignore[no-untyped-call]
    assert torch.allclose(deviation, torch.tensor(1e-3)) and flat.grad is not None
    assert bool(torch.isfinite(flat.grad).all())


def test_whole_pictures_are_validated_and_exported(tmp_path: Path) -> None:
    job, _ = synthetic(tmp_path, n=60, val=20)
    job.update(epochs=2, batch=16)
    job["student"]["views"] = "whole"
    code, messages = train_here(job)
    done = messages[-1]
    assert code == 0, done
    session = onnxruntime.InferenceSession(done["onnx"], providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert [isinstance(extent, str) for extent in given.shape] == [True, True, True, False]
    cache = TensorCache(tmp_path / "cache")
    assert len({cache.picture(i).shape for i in range(60)}) > 10
    (scores,) = zip(
        *(session.run(["score"], {"pixels": cache.picture(i)[None]}) for i in range(60)), strict=True
    )
    found = np.concatenate(scores)
    # What the trainer told of its validation is what the file says of whole pictures, one by one.
    points = dict(teacher_scores(tmp_path))
    _, val = read_rows(Path(job["rows"]), cache, 32)
    targets = np.array([points[cache.hashes[row]] for row in val.rows], dtype=np.float32)
    told, again = done["val"], agreement(found[val.rows], targets)
    assert (
        again is not None and abs(told["srcc"] - again.srcc) < 1e-6 and abs(told["plcc"] - again.plcc) < 1e-4
    )
    student = checkpoint.load_student(tmp_path / "distill/checkpoints/best.pt", 32)
    assert done["levels"]["dim"] == layout(student).dim


def teacher_scores(folder: Path) -> list[tuple[str, float]]:
    with sqlite3.connect(folder / "labels.sqlite") as db:
        return db.execute(
            "SELECT i.hash, p.score FROM points p JOIN images i ON i.id = p.image_id"
        ).fetchall()
