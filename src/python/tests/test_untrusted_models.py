"""Models of strangers: weights that are pickles, and code that comes with a model, are never run."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from test_teacher_judge import opening

from leaf.checkpoint import load as load_checkpoint
from leaf.errors import TrainerError
from leaf.students import new_student
from leaf.teacher.load import load


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


def write_folder(folder: Path, mark: Path, **config: object) -> None:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("preprocessor_config.json", "processor_config.json", "tokenizer_config.json"):
        (folder / name).write_text(json.dumps({"auto_map": config.get("auto_map", {})}))
    (folder / "evil.py").write_text(f"import os\nos.mkdir({str(mark)!r})\n")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil(mark)))
    torch.save({"state": Evil(mark)}, folder / "other.bin")


def test_the_pickle_is_one_that_would_run(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Evil(tmp_path / "RAN")))
    assert (tmp_path / "RAN").exists()


@pytest.mark.parametrize("family", ["convnext", "convnextv2", "evil"])
def test_a_students_folder_runs_nothing(tmp_path: Path, family: str) -> None:
    mark = tmp_path / "RAN"
    auto = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    write_folder(
        tmp_path / "model",
        mark,
        model_type=family,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        auto_map=auto,
    )
    with pytest.raises(TrainerError):
        new_student(str(tmp_path / "model"), 32)
    assert not mark.exists()


@pytest.mark.parametrize("family", ["llava", "qwen2_5_vl", "evil"])
def test_a_teachers_folder_runs_nothing(tmp_path: Path, family: str) -> None:
    mark = tmp_path / "RAN"
    auto = {
        "AutoConfig": "evil.Config",
        "AutoProcessor": "evil.Processor",
        "AutoImageProcessor": "evil.Images",
        "AutoTokenizer": ["evil.Tokens", None],
        "AutoModelForImageTextToText": "evil.Model",
    }
    write_folder(tmp_path / "model", mark, model_type=family, auto_map=auto)
    with pytest.raises(TrainerError):
        load(opening(tmp_path / "model"))
    assert not mark.exists()


def test_a_checkpoint_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "RAN"
    torch.save({"v": 1, "state": Evil(mark)}, tmp_path / "last.pt")
    with pytest.raises(TrainerError):
        load_checkpoint(tmp_path / "last.pt")
    (tmp_path / "last.pt").write_bytes(pickle.dumps(Evil(mark)))
    with pytest.raises(TrainerError):
        load_checkpoint(tmp_path / "last.pt")
    assert not mark.exists()
