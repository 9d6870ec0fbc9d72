"""The rows file of a fit: a target, a weight, a group and a fold for each row of the features."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from leaf.contract.head import HeadNetwork
from leaf.errors import TrainerError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rated:
    """Rows that have a rating (positions [n]); of each: target on 1..5, weight, group, fold (-1: none)."""

    at: NDArray[np.int64]
    targets: Array
    weights: Array
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]


def read_rated(path: Path) -> tuple[Rated, int]:
    """Reads `target,weight,group,fold`: what is rated, and how many rows there are.

    Raises TrainerError("input").
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if reader.fieldnames != ["target", "weight", "group", "fold"]:
                raise TrainerError("input", f"{path.name}: the header must be target,weight,group,fold.")
            rows = list(reader)
        rated = [(i, row) for i, row in enumerate(rows) if row["target"] != ""]
        names = {name: i for i, name in enumerate(dict.fromkeys(row["group"] for _, row in rated))}
        found = Rated(
            at=np.array([i for i, _ in rated], dtype=np.int64),
            targets=np.array([_number(row["target"]) for _, row in rated]),
            weights=np.array([_number(row["weight"]) for _, row in rated]),
            groups=np.array([names[row["group"]] for _, row in rated], dtype=np.int64),
            folds=np.array([int(row["fold"] or -1) for _, row in rated], dtype=np.int64),
        )
    except (OSError, UnicodeDecodeError, ValueError, TypeError, csv.Error) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({error}).") from error
    if len(found.at) < 2 or not (found.weights > 0).all():
        raise TrainerError("input", f"{path.name}: two rows at least need a target, and weights above 0.")
    return found, len(rows)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value


def read_features(network: HeadNetwork, rows: int) -> Array:
    """[rows, dim + T]: the levels and the scores of its T targets. Raises TrainerError("input")."""
    width = network.levels.dim + 1 + (0 if network.beside is UNSET else len(network.beside))
    try:
        found = np.fromfile(network.features, dtype="<f4")
    except OSError as error:
        raise TrainerError("input", f"The features of {network.name} cannot be read ({error}).") from error
    if found.size != rows * width or not np.isfinite(found).all():
        raise TrainerError("input", f"The features of {network.name} are not {rows} rows of {width} numbers.")
    return found.reshape(rows, width).astype(np.float64)
