import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import base_job

from leaf.contract.trainer import CalibrateLoss, DistillJob, DistillLoss
from leaf.errors import TrainerError
from leaf.job import parse_job, read_job

FOLDER = Path("somewhere")


def changed(kind: str, path: str, value: object) -> dict[str, Any]:
    job = copy.deepcopy(base_job(kind, FOLDER))
    *parents, key = path.split(".")
    place = job
    for parent in parents:
        place = place[parent]
    place[key] = value
    return job


def test_both_kinds_are_read() -> None:
    distill = parse_job(base_job("distill", FOLDER))
    loss = DistillLoss(point=1, pair=1, temperature=1, huber_delta=1)
    assert distill.loss == loss and distill.labels is not None and distill.affine_init
    calibrate = parse_job(base_job("calibrate", FOLDER))
    assert calibrate.loss == CalibrateLoss(mse=1, plcc=1)
    assert calibrate.labels is None and calibrate.workers is None


@pytest.mark.parametrize(
    ("kind", "path", "value", "words"),
    [
        ("distill", "v", 2, "v must be"),
        ("distill", "kind", "train", "kind must be one of distill, calibrate"),
        ("distill", "epochs", 0, "epochs must be a whole number"),
        ("distill", "epochs", 1.5, "epochs must be a whole number"),
        ("distill", "epochs", True, "epochs must be a whole number"),
        ("distill", "batch", "32", "batch must be"),
        ("distill", "lr.head", -1, "lr.head must be a number of at least 0"),
        ("distill", "lr.head", float("nan"), "lr.head must be"),
        ("distill", "lr.neck", 1, "lr.neck is not a known key"),
        ("distill", "learningRate", 1, "learningRate is not a known key"),
        ("distill", "labels", None, "labels is required"),
        ("distill", "labels", {"db": "x"}, "labels is required for distill"),
        ("distill", "loss", {"mse": 1}, "loss.mse is not a known key"),
        ("distill", "loss", {"point": 0, "pair": 0}, "loss must have"),
        ("distill", "student.views", 3, "student.views must be one of 1, 5, whole"),
        ("distill", "student.backbone", "best.pt", "student.backbone is for calibrate only"),
        ("distill", "device", "tpu", "device must be one of"),
        ("distill", "resume", 1, "resume must be true or false"),
        ("distill", "out", "", "out must be a non-empty text"),
        ("distill", "student", [], "student must be an object"),
        ("calibrate", "labels", {"db": "x"}, "labels is for distill only"),
        ("calibrate", "warmup", 2, "warmup must be"),
        ("calibrate", "threads", 0, "threads must be a whole number from 1 to 1024 or null"),
        ("calibrate", "ema", "no", "ema must be a number from 0 to 0.999999 or null"),
        ("calibrate", "domain", 3, "domain must be a non-empty text or null"),
        ("calibrate", "lr", {"head": 1}, "lr.backbone is missing"),
        ("distill", "loss.confidence", True, "loss.confidence is not a known key"),
    ],
)
def test_a_wrong_value_is_one_sentence(kind: str, path: str, value: object, words: str) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(changed(kind, path, value))
    assert caught.value.code == "input"
    assert words in caught.value.message and caught.value.message.startswith("JOB.json: ")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("key", ["a` - at `$.lr", "a - at `$.b", "`", "$", "", "at\nat", "ä"])
def test_a_key_of_any_name_is_no_known_key(key: str) -> None:
    job = base_job("calibrate", FOLDER)
    for wrong in ({**job, key: 1}, {**job, "lr": {**job["lr"], key: 1}}):
        with pytest.raises(TrainerError, match="is not a known key"):
            parse_job(wrong)


@pytest.mark.parametrize("value", [" - at `$.lr", "` - at `$[0]", "\n"])
def test_a_value_does_not_move_the_place_of_a_fault(value: str) -> None:
    for path, words in (("device", "one of auto"), ("kind", "one of distill"), ("student", "an object")):
        with pytest.raises(TrainerError, match=f"{path} must be {words}"):
            parse_job(changed("calibrate", path, value))


@pytest.mark.parametrize("path", ["\ud800", "device", "kind", "lr"])
def test_half_a_character_is_refused_as_input(path: str) -> None:
    with pytest.raises(TrainerError) as caught:
        parse_job(changed("calibrate", path, "\ud800"))
    assert caught.value.code == "input"
    # A path may hold one, where file names do.
    assert parse_job(changed("calibrate", "out", "\ud800")).out == "\ud800"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(base_job("distill", FOLDER))), json_values)
def test_any_value_is_read_or_refused_as_input(key: str, value: object) -> None:
    try:
        parse_job(changed("distill", key, value))
    except TrainerError as error:
        assert error.code == "input"


@given(st.text(max_size=200))
def test_any_text_is_refused_as_input(text: str) -> None:
    with pytest.raises(TrainerError):
        parse_job(text)


def test_files_that_hold_no_job(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    for data in (b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000):
        path.write_bytes(data)
        with pytest.raises(TrainerError):
            read_job(path)
    with pytest.raises(TrainerError, match="cannot be read"):
        read_job(tmp_path / "none.json")
    path.write_text(json.dumps(base_job("distill", FOLDER)))
    assert isinstance(read_job(path), DistillJob)
