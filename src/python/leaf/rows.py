"""The rows file: which cached pictures take part, in which split, with which human score."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaf.cache import TensorCache, fits
from leaf.errors import TrainerError


@dataclass(frozen=True)
class Split:
    """The images of one split: cache rows and targets on the 1..5 scale (NaN where there is none)."""

    rows: NDArray[np.int64]
    targets: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def keep(self, mask: NDArray[np.bool_]) -> "Split":
        return Split(self.rows[mask], self.targets[mask])


def read_rows(path: Path, cache: TensorCache, crop: int) -> tuple[Split, Split]:
    """Reads `row,split,target` into (train, val); unreadable images and later copies of one are left out."""
    found: dict[str, tuple[list[int], list[float]]] = {"train": ([], []), "val": ([], [])}
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, None) != ["row", "split", "target"]:
                raise _wrong(path, 1, "the header must be row,split,target")
            for cells in reader:
                line = reader.line_num
                if len(cells) != 3:
                    raise _wrong(path, line, "there must be 3 cells")
                row, target = _row(path, line, cells[0], len(cache)), _target(path, line, cells[2])
                if cells[1] not in found:
                    raise _wrong(path, line, "split must be train or val")
                if not cache.readable(row) or cache.hashes[row] in seen:
                    continue
                if not fits(cache, row, crop):
                    raise _wrong(path, line, f"the cached picture is smaller than the crop of {crop}")
                seen.add(cache.hashes[row])
                found[cells[1]][0].append(row)
                found[cells[1]][1].append(target)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({error}).") from error
    train, val = (
        Split(np.array(rows, dtype=np.int64), np.array(targets, dtype=np.float32))
        for rows, targets in (found["train"], found["val"])
    )
    return train, val


def _row(path: Path, line: int, text: str, rows: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= rows:
        raise _wrong(path, line, f"row must be a whole number below {rows}")
    return int(text)


def _target(path: Path, line: int, text: str) -> float:
    if text == "":
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(path, line, "target must be a number or empty")
    return value


def _wrong(path: Path, line: int, reason: str) -> TrainerError:
    return TrainerError("input", f"{path.name}:{line}: {reason}.")
