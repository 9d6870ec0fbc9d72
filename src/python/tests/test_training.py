import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from world import base_job, of_type, synthetic, train_here, write_rows

from leaf import checkpoint
from leaf.cache import TensorCache
from leaf.export import export
from leaf.predict import fit_scale
from leaf.students import new_student


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]], np.ndarray]:
    """A student of blur, distilled from a noisy teacher."""
    folder = tmp_path_factory.mktemp("distilled")
    job, quality = synthetic(folder, n=320, val=60)
    job.update(epochs=20, batch=16, ema=0.9)
    job["lr"] = {"backbone": 2e-3, "head": 6e-3}
    code, messages = train_here(job)
    assert code == 0, messages[-1]
    return folder, messages, quality


Distilled = tuple[Path, list[dict[str, Any]], np.ndarray]


def test_distillation_learns_blur(distilled: Distilled) -> None:
    folder, messages, _ = distilled
    assert messages[0]["type"] == "hello" and messages[0]["device"] == "cpu"
    done = messages[-1]
    assert done["type"] == "done" and done["val"]["n"] == 60
    assert done["val"]["srcc"] > 0.8
    metrics = of_type(messages, "metrics")
    epochs = [m for m in metrics if m["val"]]
    assert [m["epoch"] for m in epochs] == list(range(1, 21))
    assert epochs[-1]["parts"]["pair"] < epochs[0]["parts"]["pair"]
    best = max(epochs, key=lambda m: m["val"]["srcc"] + m["val"]["plcc"])
    assert done["bestEpoch"] == best["epoch"] and done["val"] == best["val"]
    written = [json.loads(x) for x in (folder / "distill/metrics.jsonl").read_text().splitlines()]
    assert written == metrics
    assert {m["phase"] for m in of_type(messages, "progress")} == {"load", "train", "validate", "export"}
    assert not list(folder.rglob("*.tmp-*"))


def test_the_exported_student_is_the_best_one(distilled: Distilled) -> None:
    folder, messages, _ = distilled
    done = messages[-1]
    assert 0 <= done["exportMaxDifference"] < 1e-4
    session = onnxruntime.InferenceSession(done["onnx"], providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.name == "pixels" and given.type == "tensor(uint8)" and given.shape[1:] == [32, 32, 3]
    assert [o.name for o in session.get_outputs()] == ["score", "features", "map", "distance", "levels"]
    student = checkpoint.load_student(folder / "distill/checkpoints/best.pt", 32)
    cache = TensorCache(folder / "cache")
    for n in (1, 3, 7):
        pixels = np.stack([cache.picture(i)[:32, :32] for i in range(n)])
        score, features = session.run(["score", "features"], {"pixels": pixels})
        with torch.no_grad():
            expected = student(torch.from_numpy(pixels))
        assert score.shape == (n,) and features.shape == (n, 320)
        assert np.allclose(score, expected[0].numpy(), atol=1e-4)
    text = onnx.load(done["onnx"]).SerializeToString()
    assert b".py" not in text and b"site-packages" not in text


def calibrate_job(folder: Path, quality: np.ndarray, n: int, val: int, out: str) -> dict[str, Any]:
    """Human scores on another scale than the teacher's: 2 + q/3."""
    job = base_job("calibrate", folder)
    rows: list[tuple[int, str, float | None]] = [(i, "train", 2 + float(quality[i]) / 3) for i in range(n)]
    rows += [(i, "val", 2 + float(quality[i]) / 3) for i in range(260, 260 + val)]
    job.update(out=str(folder / out), rows=str(write_rows(folder / f"{out}.csv", rows)), epochs=3, batch=16)
    job["lr"] = {"backbone": 1e-4, "head": 3e-4}
    job["student"]["backbone"] = str(folder / "distill/checkpoints/best.pt")
    return job


def test_the_last_epoch_is_kept_on_request(tmp_path: Path) -> None:
    job, _ = synthetic(tmp_path, n=48, val=12)
    job.update(epochs=4, batch=16, keep="last")
    code, messages = train_here(job)
    assert code == 0, messages[-1]
    assert messages[-1]["bestEpoch"] == 4
    assert messages[-1]["val"] == of_type(messages, "metrics")[-1]["val"]


def test_calibration_finds_the_human_scale(distilled: Distilled) -> None:
    folder, _, quality = distilled
    code, messages = train_here(calibrate_job(folder, quality, 30, 60, "calibrated"))
    assert code == 0, messages[-1]
    val = messages[-1]["val"]
    spread = float(np.std(2 + quality[260:] / 3))
    assert val["srcc"] > 0.8 and val["rmse"] < 0.75 * spread
    assert set(of_type(messages, "metrics")[0]["parts"]) == {"mse", "plcc"}


def test_calibration_is_held_to_the_teacher_on_unrated_images(distilled: Distilled) -> None:
    folder, _, quality = distilled
    beside = write_rows(folder / "teacher.csv", [(i, "train", float(quality[i])) for i in range(8, 260)])

    def taught(out: str, weight: float) -> float:
        """The error on images that nobody showed."""
        # 8 ratings that say the opposite of the truth, at a rate that learns them by heart.
        job = calibrate_job(folder, quality, 8, 0, out)
        wrong: list[tuple[int, str, float | None]] = [
            (i, "train", 2 + float(6 - quality[i]) / 3) for i in range(8)
        ]
        wrong += [(i, "val", float(quality[i])) for i in range(260, 320)]
        job.update(rows=str(write_rows(folder / f"{out}.csv", wrong)), epochs=12, affineInit=False)
        job.update(lr={"backbone": 1e-3, "head": 3e-3}, teacher=str(beside), keep="last")
        job["loss"]["teacher"] = weight
        code, messages = train_here(job)
        assert code == 0, messages[-1]
        assert set(of_type(messages, "metrics")[-1]["parts"]) == {"mse", "plcc", "teacher"}
        return float(messages[-1]["val"]["rmse"])

    assert taught("held", 20) < taught("forgot", 0)


def test_one_label_and_no_validation_is_enough_to_run(distilled: Distilled) -> None:
    folder, _, quality = distilled
    job = calibrate_job(folder, quality, 1, 0, "single")
    job["headOnly"] = True
    code, messages = train_here(job)
    assert code == 0, messages[-1]
    assert messages[-1]["val"] is None and messages[-1]["bestEpoch"] == 3
    assert all(m["parts"]["plcc"] is None and m["val"] is None for m in of_type(messages, "metrics"))
    before, after = (
        checkpoint.load(folder / out / "checkpoints/best.pt")["model"] for out in ("distill", "single")
    )
    assert isinstance(before, dict) and isinstance(after, dict)
    changed = {k.split(".")[0] for k in before if not torch.equal(before[k], after[k])}
    assert changed and changed <= {"norm", "linear"}


def test_a_loss_that_is_not_finite_stops_the_training(distilled: Distilled) -> None:
    folder, _, quality = distilled
    job = calibrate_job(folder, quality, 20, 0, "nan")
    job.update(clip=None, lr={"backbone": 1e30, "head": 1e30}, warmup=0)
    code, messages = train_here(job)
    assert code == 1 and messages[-1]["type"] == "error" and messages[-1]["code"] == "nan"
    assert "epoch" in messages[-1]["message"] and "learning rate" in messages[-1]["remedy"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cache": "none"}, "tensor cache cannot be read"),
        ({"rows": "none.csv"}, "cannot be read"),
        ({"student": {"model": "atto", "crop": 33, "views": 1, "backbone": None}}, "smaller than the crop"),
        (
            {"student": {"model": "atto", "crop": 32, "views": 1, "backbone": "none.pt"}},
            "none.pt cannot be read",
        ),
    ],
)
def test_wrong_inputs_are_one_sentence(distilled: Distilled, change: dict[str, Any], words: str) -> None:
    folder, _, quality = distilled
    job = {**calibrate_job(folder, quality, 5, 0, "wrong"), **change}
    code, messages = train_here(job)
    assert code == 1 and messages[-1]["type"] == "error" and messages[-1]["code"] == "input"
    assert words in messages[-1]["message"] and "\n" not in messages[-1]["message"]


def test_an_unknown_student_names_the_remedy(
    distilled: Distilled, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, _, quality = distilled
    job = calibrate_job(folder, quality, 5, 0, "unknown")
    job["student"] = {"model": str(tmp_path), "crop": 32, "views": 1, "backbone": None}
    code, messages = train_here(job)
    assert code == 1 and "model.safetensors" in messages[-1]["remedy"]


def test_a_local_convnext_folder_is_a_student(tmp_path: Path) -> None:
    from transformers import ConvNextConfig, ConvNextModel

    config = ConvNextConfig(hidden_sizes=[8, 8, 16, 24], depths=[1, 1, 1, 1])
    made = ConvNextModel(config)  # type: ignore[no-untyped-call]
    made.save_pretrained(tmp_path)
    student = new_student(str(tmp_path), 32)
    assert student.linear.in_features == 24
    state = student.state_dict()
    for name, tensor in made.state_dict().items():
        assert torch.equal(state[f"backbone.model.{name}"], tensor)
    assert str(tmp_path) not in student.architecture["config"]


def test_a_folder_with_bin_weights_alone_is_a_student_too(tmp_path: Path) -> None:
    """As facebook/convnext-base-224 has been published."""
    from transformers import ConvNextConfig, ConvNextModel

    config = ConvNextConfig(hidden_sizes=[8, 8, 16, 24], depths=[1, 1, 1, 1])
    made = ConvNextModel(config)  # type: ignore[no-untyped-call]
    config.save_pretrained(tmp_path)
    classified = {f"convnext.{name}": tensor for name, tensor in made.state_dict().items()}
    torch.save({**classified, "classifier.bias": torch.zeros(3)}, tmp_path / "pytorch_model.bin")
    state = new_student(str(tmp_path), 32).state_dict()
    for name, tensor in made.state_dict().items():
        assert torch.equal(state[f"backbone.model.{name}"], tensor)


def test_efficientnet_lite_exports_and_freezes_its_statistics(tmp_path: Path) -> None:
    student = new_student("efficientnet-lite0", 32)
    student.train()
    before = {k: v.clone() for k, v in student.state_dict().items() if "running" in k}
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    student.eval()(torch.from_numpy(pixels))[0].sum().backward()
    assert all(torch.equal(v, student.state_dict()[k]) for k, v in before.items())
    assert export(student, list(pixels), tmp_path / "student.onnx") < 1e-3


def test_the_closed_form_scale_is_least_squares() -> None:
    student = new_student("atto", 32)
    pixels = torch.randint(0, 256, (12, 32, 32, 3), dtype=torch.uint8)
    with torch.no_grad():
        student.linear.weight.mul_(20)
        before = student(pixels)[0].numpy().copy()
    noise = np.random.default_rng(0).normal(0, 0.01, 12)
    truth = (1 + 0.4 * before + noise * before.std()).astype(np.float32)
    slope, constant = np.polyfit(before.astype(np.float64), truth.astype(np.float64), 1)
    assert fit_scale(student, before, truth)
    with torch.no_grad():
        after = student(pixels)[0].numpy()
    assert np.allclose(after, constant + slope * before, atol=1e-4)
    assert not fit_scale(student, before, -before)
    assert not fit_scale(student, before[:4], before[:4])
    assert math.isclose(
        float(np.corrcoef(after, truth)[0, 1]), float(np.corrcoef(before, truth)[0, 1]), abs_tol=1e-4
    )
