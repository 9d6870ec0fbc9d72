"""leaf_iqa beside other libraries. That its scores are LEAF's, test/integration/leaf-iqa.test.ts holds."""

import importlib
import json
import math
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import leaf_iqa
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from leaf_iqa.resample import resize
from PIL import Image

fixtures = Path(__file__).parents[3] / "test" / "fixtures"
rng = np.random.default_rng(0)


def mean_score(picture: Any) -> float:
    """What the fixture's network says of a whole picture that is not resized."""
    return float(1 + 4 * np.asarray(picture, np.float64).mean() / 255)


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(fixtures / "student-whole", tmp_path / "student"))


def calibrated(folder: Path, low: float, high: float, lower: bool) -> Path:
    card = json.loads((folder / "student.json").read_text())
    card["mosScale"] = {"range": [low, high], "lowerIsBetter": lower}
    (folder / "student.json").write_text(json.dumps(card))
    return folder


def picture(height: int = 40, width: int = 48) -> np.ndarray:
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def test_paths_pillow_images_and_arrays_have_one_score(folder: Path, tmp_path: Path) -> None:
    student, array = leaf_iqa.load(folder), picture()
    Image.fromarray(array).save(tmp_path / "a.png")
    scores = student.scores([tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(array), array])
    np.testing.assert_allclose(scores, mean_score(array), atol=1e-5)
    grey = array[:, :, 0]
    assert student.score(grey) == pytest.approx(mean_score(grey), abs=1e-5)
    clear = np.dstack([array, np.zeros_like(grey)])
    assert student.score(clear) == pytest.approx(5)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=7), st.integers(1, 4))
def test_the_batch_changes_nothing(values: list[int], batch: int) -> None:
    student = leaf_iqa.load(fixtures / "student", threads=1)
    pictures = [np.full((48, 64, 3), 40 * value, np.uint8) for value in values]
    scores = student.scores(iter(pictures), batch=batch, workers=1)
    np.testing.assert_allclose(scores, [1 + 4 * 40 * value / 255 for value in values], atol=1e-5)


def test_scores_are_on_the_human_scale(folder: Path) -> None:
    student = leaf_iqa.load(calibrated(folder, 0, 100, lower=True))
    assert student.score(np.full((40, 40, 3), 255, np.uint8)) == pytest.approx(0)
    assert student.score(np.zeros((40, 40, 3), np.uint8)) == pytest.approx(100)
    assert student.card.reported_sd(1) == 25


def test_what_cannot_be_scored_is_named_or_raises(folder: Path, tmp_path: Path) -> None:
    student = leaf_iqa.load(folder)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.new("CMYK", (40, 40)).save(tmp_path / "press.jpg")
    cases = [tmp_path / "absent.png", tmp_path / "broken.png", tmp_path / "press.jpg", np.zeros((40, 40, 3))]
    found = list(student.judge([*cases, picture()], on_error="nan"))
    assert [one.error is None for one in found] == [False] * 4 + [True]
    assert all(math.isnan(one.score) for one in found[:4])
    for case, word in zip(cases, ["no such file", "broken.png", "CMYK", "uint8"], strict=True):
        with pytest.raises(leaf_iqa.ImageError, match=word):
            student.score(case)


@pytest.mark.parametrize(
    "text", [None, "{", "[]", '{"v": 2}', '{"v": 1}', '{"v": 1, "input": {}, "mosScale": null}']
)
def test_a_folder_without_a_student_is_told(folder: Path, text: str | None) -> None:
    file = folder / "student.json"
    file.unlink()
    if text is not None:
        file.write_text(text)
    with pytest.raises(leaf_iqa.StudentError, match=r"student\.json"):
        leaf_iqa.load(folder)


def test_a_broken_network_is_told(folder: Path) -> None:
    (folder / "student.onnx").write_bytes(b"x")
    with pytest.raises(leaf_iqa.StudentError, match=r"student\.onnx"):
        leaf_iqa.load(folder)


def test_create_metric_takes_what_pyiqa_takes(folder: Path, tmp_path: Path) -> None:
    metric = leaf_iqa.create_metric(calibrated(folder, 0, 10, lower=True))
    array = picture()
    expected = 10 - (mean_score(array) - 1) / 4 * 10
    Image.fromarray(array).save(tmp_path / "a.png")
    assert metric(str(tmp_path / "a.png")) == pytest.approx(expected, abs=1e-5)
    tensor = torch.from_numpy(array).permute(2, 0, 1).float()[None] / 255
    scores = metric(torch.cat([tensor, tensor]))
    assert scores.shape == (2, 1)
    assert scores.dtype == tensor.dtype
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(metric(tensor[0].numpy()), [[expected]], atol=1e-4)
    np.testing.assert_allclose(metric([array, array]), [expected] * 2, atol=1e-5)
    assert (metric.lower_better, metric.metric_mode, metric.score_range) == (True, "NR", "~0, 10")
    with pytest.raises(ValueError, match=r"0\.\.1"):
        metric(tensor * 255)
    with pytest.raises(ValueError, match="no reference"):
        metric(array, array)


class Samples:
    """Stands in for a FiftyOne dataset, which is not installed here: its two methods that are used."""

    def __init__(self, files: list[str]) -> None:
        self.fields: dict[str, list[Any]] = {"filepath": files}

    def values(self, field: str) -> list[Any]:
        return self.fields[field]

    def set_values(self, field: str, values: list[Any]) -> None:
        self.fields[field] = values


def test_add_scores_fills_a_field(folder: Path, tmp_path: Path) -> None:
    array = picture()
    Image.fromarray(array).save(tmp_path / "a.png")
    samples = Samples([str(tmp_path / "a.png"), str(tmp_path / "absent.png")])
    assert leaf_iqa.add_scores(samples, folder, "quality") == 1
    assert samples.fields["quality"] == [pytest.approx(mean_score(array), abs=1e-5), None]


class StandInMetric:
    """As much of torchmetrics.Metric as is used, where torchmetrics is not installed."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("higher_is_better", "is_differentiable", "full_state_update"):
            raise RuntimeError(f"Can't change const `{name}`.")
        super().__setattr__(name, value)

    def add_state(self, name: str, default: Any, dist_reduce_fx: str) -> None:
        setattr(self, name, default)


@pytest.fixture()
def torchmetric() -> Iterator[Any]:
    try:
        import torchmetrics  # noqa: F401
    except ImportError:
        sys.modules["torchmetrics"] = types.SimpleNamespace(Metric=StandInMetric)  # type: ignore[assignment]
        yield importlib.import_module("leaf_iqa.torchmetric")
        del sys.modules["torchmetrics"], sys.modules["leaf_iqa.torchmetric"]
    else:
        yield importlib.import_module("leaf_iqa.torchmetric")


def test_the_torch_metric_is_the_mean_over_all_batches(folder: Path, torchmetric: Any) -> None:
    metric = torchmetric.LeafQuality(folder)
    batches = [picture()[None], np.stack([picture(), picture()])]
    metric.update(torch.from_numpy(batches[0]).permute(0, 3, 1, 2))
    metric.update(torch.from_numpy(batches[1]).permute(0, 3, 1, 2).float() / 255)
    expected = np.mean([mean_score(one) for batch in batches for one in batch])
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-5)
    assert metric.higher_is_better


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(0, 255))
def test_resizing_keeps_a_plain_picture_plain(height: int, width: int, size: int, value: int) -> None:
    """Weights are cut to 1/4096 each, so a grey may lose a little."""
    plain = resize(np.full((height, width, 3), value, np.uint8), size, size)
    assert plain.shape == (size, size, 3)
    assert np.abs(plain.astype(int) - value).max() <= 3
