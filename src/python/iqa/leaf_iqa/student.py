"""A student by ONNX Runtime."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from leaf_iqa.card import Card, StudentError, read_card
from leaf_iqa.picture import Image, ImageError, picture
from leaf_iqa.views import windows

# Before onnxruntime is imported, which else reports to Microsoft.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime

OnError = Literal["raise", "nan"]


@dataclass(frozen=True)
class Judgement:
    """What a student says of an image; numbers are on its scale."""

    score: float
    sd: float | None = None
    """Standard deviation of a person's score around it; None where the student does not tell."""
    distance: float | None = None
    """From the images it learned from, in units of its threshold (above 1: unlike them); None: unknown."""
    error: str | None = None
    """Why there is no score; the score is NaN then."""

    @property
    def far(self) -> bool | None:
        """Whether the image is unlike those the student learned from; None: unknown."""
        return None if self.distance is None else self.distance > 1


class Student:
    """An exported student. May be shared between threads."""

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        threads: int | None = None,
        providers: list[str] | None = None,
    ) -> None:
        """Opens `student.json` and `student.onnx` of a folder. Raises StudentError.

        threads: of one inference; None: ONNX Runtime chooses. providers: ONNX Runtime's; the CPU by default.
        """
        self.folder = Path(folder)
        self.card: Card = read_card(self.folder)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            model = (self.folder / "student.onnx").read_bytes()
            self._session = onnxruntime.InferenceSession(
                model, options, providers=providers or ["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors have no class of their own.
            raise StudentError(f"{self.folder / 'student.onnx'} cannot be opened: {error}") from error
        outputs = {one.name for one in self._session.get_outputs()}
        if "score" not in outputs or [one.name for one in self._session.get_inputs()] != ["pixels"]:
            raise StudentError(f"{self.folder / 'student.onnx'} is no student of LEAF.")
        wanted = ["score", "sd"] if self.card.threshold is None else ["score", "sd", "distance"]
        self._outputs = [name for name in wanted if name in outputs]

    def score(self, image: Image) -> float:
        """The score of one image, on the student's scale (`card.scale`). Raises ImageError."""
        [one] = self.judge([image])
        return one.score

    def scores(
        self, images: Iterable[Image], *, batch: int = 16, workers: int = 2, on_error: OnError = "raise"
    ) -> NDArray[np.float64]:
        """Scores [n] in the images' order. An image that cannot be read raises ImageError, or is NaN."""
        found = self.judge(images, batch=batch, workers=workers, on_error=on_error)
        return np.fromiter((one.score for one in found), np.float64)

    def judge(
        self, images: Iterable[Image], *, batch: int = 16, workers: int = 2, on_error: OnError = "raise"
    ) -> Iterator[Judgement]:
        """A judgement for each image, in order: `batch` at a time, decoded by `workers` threads.

        Views of equal size go through the network together; whole pictures one by one, as in LEAF.
        """
        if batch < 1 or workers < 1:
            raise ValueError("batch and workers must be at least 1")
        remaining = iter(images)
        with ThreadPoolExecutor(workers) as pool:
            while part := list(islice(remaining, batch)):
                seen = list(pool.map(self._look, part))
                failed = [one for one in seen if isinstance(one, ImageError)]
                if failed and on_error == "raise":
                    raise failed[0]
                yield from self._judged(seen)

    def _look(self, image: Image) -> NDArray[np.uint8] | ImageError:
        try:
            return windows(picture(image, card=self.card), self.card)
        except ImageError as error:
            return error

    def _judged(self, seen: list[NDArray[np.uint8] | ImageError]) -> Iterator[Judgement]:
        readable = [one for one in seen if not isinstance(one, ImageError)]
        if self.card.views == "whole" or not readable:
            rows = iter([self._run(one) for one in readable])
        else:
            together = self._run(np.concatenate(readable))
            count = len(readable[0])
            rows = iter(
                [
                    {k: v[i : i + count] for k, v in together.items()}
                    for i in range(0, len(together["score"]), count)
                ]
            )
        for one in seen:
            yield (
                Judgement(np.nan, error=str(one))
                if isinstance(one, ImageError)
                else self._reported(next(rows))
            )

    def _run(self, views: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        values: list[Any] = self._session.run(self._outputs, {"pixels": np.ascontiguousarray(views)})
        return dict(zip(self._outputs, values, strict=True))

    def _reported(self, values: dict[str, NDArray[np.float32]]) -> Judgement:
        """An image's values are the means over its views."""
        mean = {name: float(np.mean(row, dtype=np.float64)) for name, row in values.items()}
        if not all(np.isfinite(list(mean.values()))):
            return Judgement(np.nan, error="the student gave no number")
        return Judgement(
            score=self.card.reported(mean["score"]),
            sd=self.card.reported_sd(mean["sd"]) if "sd" in mean else None,
            distance=mean["distance"] / self.card.threshold
            if "distance" in mean and self.card.threshold
            else None,
        )


def load(
    folder: str | os.PathLike[str], *, threads: int | None = None, providers: list[str] | None = None
) -> Student:
    """Opens an exported student (`leaf export student -o FOLDER`). Raises StudentError."""
    return Student(folder, threads=threads, providers=providers)
