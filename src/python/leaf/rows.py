"""The rows file: which cached pictures take part, in which split, with which human score."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaf.cache import TensorCache, fits
from leaf.errors import TrainerError

COLUMNS = ["row", "split", "target"]


@dataclass(frozen=True)
class Split:
    """The images of one split: cache rows, targets on the 1..5 scale (NaN where there is none), weights.

    Of several targets `targets` is [n, T], the main one's first; weights are for that one.
    """

    rows: NDArray[np.int64]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)

    def known(self) -> NDArray[np.bool_]:
        """Which have a target [n], of several any of them."""
        known: NDArray[np.bool_] = ~np.isnan(self.targets)
        return known if known.ndim == 1 else np.logical_or.reduce(known, axis=1)

    def of(self, target: int) -> NDArray[np.float32]:
        """One target's values [n]."""
        return self.targets if self.targets.ndim == 1 else self.targets[:, target]

    def keep(self, mask: NDArray[np.bool_]) -> "Split":
        return Split(self.rows[mask], self.targets[mask], self.weights[mask])


NO_IMAGES = Split(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32))


def read_rows(
    path: Path, cache: TensorCache, crop: int, further: list[str] | None = None
) -> tuple[Split, Split]:
    """Reads `row,split,target` into (train, val); unreadable images and later copies of one are left out.

    With a fourth column `weight` the loss counts an image so much; without it 1. The targets beside the main
    one, `further`, have columns after it.
    """
    several = further or []
    headers = [[*COLUMNS, "weight", *several]] if several else [COLUMNS, [*COLUMNS, "weight"]]
    found: dict[str, tuple[list[int], list[float | list[float]], list[float]]] = {
        "train": ([], [], []),
        "val": ([], [], []),
    }
    seen: set[str] = set()
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, None)
            if header not in headers:
                told = "or with weight" if not several else f"weight, and {', '.join(several)}"
                raise _wrong(path, 1, f"the header must be row,split,target, {told}")
            for cells in reader:
                line = reader.line_num
                if len(cells) != len(header):
                    raise _wrong(path, line, f"there must be {len(header)} cells")
                row, target = _row(path, line, cells[0], len(cache)), _target(path, line, cells[2])
                if cells[1] not in found:
                    raise _wrong(path, line, "split must be train or val")
                if not cache.readable(row) or cache.hashes[row] in seen:
                    continue
                if not fits(cache, row, crop):
                    raise _wrong(path, line, f"the cached picture is smaller than the crop of {crop}")
                seen.add(cache.hashes[row])
                found[cells[1]][0].append(row)
                others = [_target(path, line, cell) for cell in cells[4:]]
                found[cells[1]][1].append([target, *others] if several else target)
                found[cells[1]][2].append(_weight(path, line, cells[3]) if len(cells) > 3 else 1.0)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({error}).") from error
    train, val = (
        Split(
            np.array(rows, np.int64),
            np.array(targets, np.float32).reshape(len(rows), *((1 + len(several),) if several else ())),
            np.array(weights, np.float32),
        )
        for rows, targets, weights in (found["train"], found["val"])
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


def _weight(path: Path, line: int, text: str) -> float:
    value = _target(path, line, text)
    if not value > 0:
        raise _wrong(path, line, "weight must be above 0")
    return value


def _wrong(path: Path, line: int, reason: str) -> TrainerError:
    return TrainerError("input", f"{path.name}:{line}: {reason}.")
