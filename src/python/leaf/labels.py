"""Reads the labels to learn from, as the engine chose them: point-wise scores and weighed preferences."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from leaf.errors import TrainerError

# Label stores, which this is not, have had 1 and 2.
SCHEMA = 3


@dataclass(frozen=True)
class Pairs:
    """Preferences between images a and b (positions in the list that was asked for): P(a better), weight."""

    a: NDArray[np.int64]
    b: NDArray[np.int64]
    p: NDArray[np.float32]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.a)


NO_PAIRS = Pairs(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.float32)
)


def read_points(path: Path, hashes: list[str]) -> NDArray[np.float32]:
    """The score on 1..5 of each image, NaN where there is none."""
    where = {name: i for i, name in enumerate(hashes)}
    scores = np.full(len(hashes), np.nan, dtype=np.float32)
    query = "SELECT i.hash, p.score FROM points p JOIN images i ON i.id = p.image_id"
    for name, score in _rows(path, query):
        if name in where:
            scores[where[name]] = score
    return scores


def read_pairs(path: Path, hashes: list[str]) -> Pairs:
    """The preferences inside the given images, ordered by image."""
    where = {name: i for i, name in enumerate(hashes)}
    # Numbers alone: a million pairs with their hashes would be some hundred MB of Python's objects.
    ids = list(_rows(path, "SELECT id, hash FROM images ORDER BY id"))
    # The last one stands for rows of no image.
    rows = np.array([*(row for row, _ in ids), np.iinfo(np.int64).max], np.int64)
    places = np.array([*(where.get(name, -1) for _, name in ids), -1], np.int64)
    query = "SELECT a_id, b_id, p, weight FROM pairs"
    table = np.fromiter(_rows(path, query), np.dtype((np.float64, 4)))
    sides = table[:, :2].astype(np.int64)
    at = np.searchsorted(rows, sides)
    a, b = np.where(rows[at] == sides, places[at], -1).T
    inside = np.flatnonzero((a >= 0) & (b >= 0))
    order = inside[np.lexsort((b[inside], a[inside]))]
    p, weight = table[order, 2].astype(np.float32), table[order, 3].astype(np.float32)
    return Pairs(a[order], b[order], p, weight)


def _rows(path: Path, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        # Nobody writes it any more, and locks are not to be relied on where nodes share a folder.
        uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != SCHEMA:
                raise TrainerError(
                    "input",
                    f"The labels have schema {version}, this trainer reads {SCHEMA}.",
                    "Use the trainer of the same LEAF version.",
                )
            yield from db.execute(query)
    except sqlite3.Error as error:
        raise TrainerError(
            "input", f"The labels cannot be read: {error}.", "Run leaf distill again."
        ) from error
