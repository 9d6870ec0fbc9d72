"""Scores as a field of a FiftyOne dataset. FiftyOne is not imported: `Samples` says what is asked of it."""

import os
from typing import Any, Protocol

from leaf_iqa.student import Student, load


class Samples(Protocol):
    """A FiftyOne dataset or view, as far as it is needed."""

    def values(self, field: str) -> list[Any]: ...
    def set_values(self, field: str, values: list[Any]) -> None: ...


def add_scores(
    samples: Samples, student: Student | str | os.PathLike[str], field: str = "leaf_score", *, batch: int = 16
) -> int:
    """Writes each sample's score into `field`, None where there is none. Returns how many have a score."""
    opened = student if isinstance(student, Student) else load(student)
    found = list(opened.judge(samples.values("filepath"), batch=batch, on_error="nan"))
    scores = [one.score if one.error is None else None for one in found]
    samples.set_values(field, scores)
    return sum(one is not None for one in scores)
