"""Reads a snapshot of the label store: point-wise scores and pair-wise preferences, human ones first."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from leaf.contract.trainer import LabelSource
from leaf.errors import TrainerError

# Version 2 added what the trainer does not read.
SCHEMAS = (1, 2)
HUMAN = "human"


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


def read_points(source: LabelSource, hashes: list[str]) -> NDArray[np.float32]:
    """The score on 1..5 of each image, NaN where neither a human nor the teacher judged it."""
    where = {name: i for i, name in enumerate(hashes)}
    scores = np.full(len(hashes), np.nan, dtype=np.float32)
    query = """SELECT i.hash, p.score FROM points p JOIN images i ON i.id = p.image_id
      JOIN teachers t ON t.id = p.teacher_id
      WHERE t.fingerprint = ? AND p.status = 'ok' AND p.score BETWEEN 0.999 AND 5.001 AND p.id <= ?"""
    with closing(_open(Path(source.db))) as db:
        # The human comes last and overwrites the teacher.
        for fingerprint in _teachers(source):
            for name, score in _rows(db, query, (fingerprint, source.max_point_id)):
                if name in where:
                    scores[where[name]] = score
    return scores


def read_pairs(source: LabelSource, hashes: list[str], by_confidence: bool = True) -> Pairs:
    """The preferences inside the given images, ordered by image.

    Those whose confidence reaches the minimum, weighed by it (LEAF, arXiv 2601.20689); not `by_confidence`:
    all of them, each of weight 1.
    """
    where = {name: i for i, name in enumerate(hashes)}
    found: dict[tuple[int, int], tuple[float, float]] = {}
    query = """SELECT ia.hash, ib.hash, p.p, p.confidence FROM pairs p JOIN images ia ON ia.id = p.a_id
      JOIN images ib ON ib.id = p.b_id JOIN teachers t ON t.id = p.teacher_id
      WHERE t.fingerprint = ? AND p.status = 'ok' AND p.p BETWEEN 0 AND 1 AND p.id <= ?"""
    with closing(_open(Path(source.db))) as db:
        for fingerprint in _teachers(source):
            for a, b, p, confidence in _rows(db, query, (fingerprint, source.max_pair_id)):
                if a in where and b in where and a != b:
                    weight = 1.0 if fingerprint == HUMAN or not by_confidence else float(confidence or 0)
                    found[where[a], where[b]] = (float(p), weight)
    kept = [
        (a, b, p, weight)
        for (a, b), (p, weight) in sorted(found.items())
        if weight > 0 and (not by_confidence or weight >= source.min_confidence)
    ]
    if not kept:
        return NO_PAIRS
    a_, b_, p_, weight_ = zip(*kept, strict=True)
    return Pairs(
        np.array(a_, np.int64),
        np.array(b_, np.int64),
        np.array(p_, np.float32),
        np.array(weight_, np.float32),
    )


def _teachers(source: LabelSource) -> tuple[str, ...]:
    return (HUMAN,) if source.teacher == HUMAN else (source.teacher, HUMAN)


def _open(path: Path) -> sqlite3.Connection:
    """Opens read-only; under WAL a writer may be busy at the same time."""
    try:
        db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=30)
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise _wrong(error) from error
    if version not in SCHEMAS:
        db.close()
        raise TrainerError(
            "input",
            f"The label store has schema {version}, this trainer reads up to {SCHEMAS[-1]}.",
            "Use the trainer of the same LEAF version.",
        )
    return db


def _rows(db: sqlite3.Connection, query: str, values: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
    try:
        yield from db.execute(query, values)
    except sqlite3.Error as error:
        raise _wrong(error) from error


def _wrong(error: sqlite3.Error) -> TrainerError:
    return TrainerError("input", f"The label store cannot be read: {error}.", "Run leaf label again.")
