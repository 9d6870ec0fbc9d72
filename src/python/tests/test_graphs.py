"""A kept graph gives the file that tracing gives, and whatever is wrong with it costs time alone."""

import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from leaf import export as exporting
from leaf import graphs
from leaf.out_of_distribution import Domain
from leaf.students import Student, build

CROP, WIDTH = 32, 24


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "graphs"
    monkeypatch.setenv("LEAF_GRAPHS", str(folder))
    return folder


def student(seed: int) -> Student:
    torch.manual_seed(seed)
    found = build(
        {
            "model": "tiny",
            "family": "convnext",
            "crop": CROP,
            "config": json.dumps({"hidden_sizes": [16, 16, 16, WIDTH], "depths": [1, 1, 1, 1]}),
            "mean": [127.0] * 3,
            "std": [64.0] * 3,
        }
    )
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    return found


def domain(seed: int) -> Domain:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(200, WIDTH))
    return Domain(features.mean(axis=0), np.cov(features.T))


def exported(path: Path, seed: int) -> bytes:
    rng = np.random.default_rng(9)
    crops = [rng.integers(0, 256, (CROP, CROP, 3), dtype=np.uint8) for _ in range(2)]
    exporting.export(student(seed), crops, path, domain(seed))
    return path.read_bytes()


def test_same_bytes_from_a_kept_graph_and_by_tracing(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = exported(tmp_path / "a.onnx", 1)
    (graph,) = kept.glob("*.onnx")
    whole = graph.read_bytes()
    monkeypatch.setattr(exporting, "_traced", None)
    assert exported(tmp_path / "b.onnx", 1) == first
    assert exported(tmp_path / "c.onnx", 2) != first

    # Another operator, as a fault of the exporter could leave it: traced anew, and kept again.
    right = graphs.read(graph.stem, exporting.Exported(student(1), domain(1)))
    other = onnx.load_from_string(whole)
    next(one for one in other.graph.node if one.op_type == "Sub").op_type = "Add"
    graph.write_bytes(other.SerializeToString())
    monkeypatch.setattr(exporting, "_traced", lambda *_: right)
    assert exported(tmp_path / "d.onnx", 1) == first
    assert graph.read_bytes() == whole

    assert graphs.read(graph.stem, torch.nn.Linear(3, 3)) is None
    graph.write_bytes(whole[: len(whole) // 2])
    assert graphs.read(graph.stem, exporting.Exported(student(1), domain(1))) is None


def test_keys_tell_apart_what_is_traced_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = student(1), student(2)
    assert graphs.key_of(one, CROP) == graphs.key_of(other, CROP)
    other.take_targets(["sharpness"])
    keys = {graphs.key_of(one, CROP), graphs.key_of(one, 64), graphs.key_of(other, CROP)}
    monkeypatch.setattr(torch, "__version__", "9.9")
    keys.add(graphs.key_of(one, CROP))
    assert len(keys) == 4


def test_the_oldest_are_dropped(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "MOST_KEPT", 2)
    kept.mkdir()
    for age, name in enumerate(["new", "old", "older"]):
        (kept / f"{name}.onnx").write_bytes(b"")
        os.utime(kept / f"{name}.onnx", (1000 - age, 1000 - age))
    graphs.keep("newest", onnx.ModelProto(), torch.nn.Identity())
    assert {file.name for file in kept.iterdir()} == {"newest.onnx", "new.onnx"}


def test_a_graph_with_a_weight_that_is_not_the_networks_is_not_kept(kept: Path) -> None:
    value = onnx.numpy_helper.from_array(np.ones(3, np.float32), "folded")
    model = onnx.ModelProto(graph=onnx.GraphProto(initializer=[value]))
    graphs.keep("key", model, torch.nn.Linear(3, 3))
    assert not kept.exists()
