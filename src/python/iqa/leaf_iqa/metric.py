"""A student in the manner of pyiqa: `metric = create_metric("folder")`, then `metric(image)`."""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaf_iqa.picture import Image
from leaf_iqa.student import Student, load


class Metric:
    """A no-reference metric. What goes in says what comes out:

    - a path, a Pillow image or uint8 [height, width, 3]: a float
    - a list of these: float64 [n]
    - a float array or PyTorch tensor [n, 3, height, width] (or without n) on 0..1, as in pyiqa: [n, 1], of
      the same kind
    """

    metric_mode = "NR"

    def __init__(self, student: Student) -> None:
        self.student = student
        self.metric_name = f"leaf:{student.folder.name}"
        self.lower_better = student.card.lower_is_better
        low, high = student.card.scale
        self.score_range = f"~{low:g}, {high:g}"

    def __call__(self, images: Any, ref: Any = None, **_ignored: Any) -> Any:
        """Scores images; `ref` must be None, since no reference is used."""
        if ref is not None:
            raise ValueError("This metric takes no reference.")
        if hasattr(images, "detach"):
            scores = self._of_planes(images.detach().cpu().float().numpy())
            return images.new_tensor(scores.tolist(), dtype=images.dtype)
        if isinstance(images, np.ndarray) and images.dtype.kind == "f":
            return self._of_planes(images)
        if isinstance(images, (list, tuple)):
            return self.student.scores(images)
        return self.student.score(images)

    def _of_planes(self, planes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        return self.student.scores(pictures_of(planes))[:, None]


def pictures_of(planes: NDArray[np.floating[Any]]) -> list[Image]:
    """[n, 3, height, width] or [3, height, width] on 0..1 to uint8 pictures, rounded."""
    if planes.ndim == 3:
        planes = planes[None]
    if planes.ndim != 4 or planes.shape[1] != 3:
        raise ValueError(f"Images must be [n, 3, height, width], not {planes.shape}.")
    # Half a step of 8 bits beyond the range is rounding; more is another scale.
    if planes.size and not (planes.min() > -0.002 and planes.max() < 1.002):
        raise ValueError("Values must lie on 0..1.")
    pixels = np.round(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    return list(pixels.transpose(0, 2, 3, 1))


def create_metric(
    path: str | os.PathLike[str], *, threads: int | None = None, providers: list[str] | None = None
) -> Metric:
    """A metric by the folder of an exported student. Raises StudentError."""
    return Metric(load(path, threads=threads, providers=providers))
