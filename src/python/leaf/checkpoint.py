"""Checkpoints: tensors and plain values only, written whole or not at all, never unpickled as code."""

import os
import pickle
from pathlib import Path
from typing import cast

import msgspec
import torch
from torch import Tensor

from leaf.contract.trainer import Agreement
from leaf.errors import TrainerError, disk_error
from leaf.students import Architecture, Student, build

State = dict[str, object]


def save(state: State, path: Path) -> None:
    """Writes to a temporary name, flushes it to the disk and renames it."""
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise disk_error(error, path) or error from error


def load(path: Path) -> State:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = type(error).__name__
        raise TrainerError("input", f"The checkpoint {path.name} cannot be read ({reason}).") from error
    if not isinstance(state, dict) or state.get("v") != 1:
        raise TrainerError("input", f"The checkpoint {path.name} is of another version.")
    return cast(State, state)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files of a process that was killed while writing."""
    for path in folder.glob("*.tmp-*"):
        path.unlink(missing_ok=True)


def student_state(student: Student, weights: dict[str, Tensor], epoch: int, val: Agreement | None) -> State:
    """The content of best.pt."""
    return {
        "v": 1,
        "student": dict(student.architecture),
        "model": weights,
        "epoch": epoch,
        "val": msgspec.to_builtins(val),
    }


def load_student(path: Path, crop: int) -> Student:
    """The student of a best.pt, for a crop of its own."""
    return student_of(load(path), path.name, crop)


def student_of(state: State, name: str, crop: int) -> Student:
    try:
        architecture = cast(Architecture, dict(cast(Architecture, state["student"])))
        architecture["crop"] = crop
        student = build(architecture)
        student.load_state_dict(cast(dict[str, Tensor], state["model"]))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainerError("input", f"The checkpoint {name} does not hold a student.") from error
    return student
