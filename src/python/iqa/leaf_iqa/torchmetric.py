"""A student as a metric of torchmetrics: the mean score of all images seen. Needs `torchmetrics`."""

import os
from typing import Any

import numpy as np

try:
    import torch
    from torchmetrics import Metric
except ImportError as error:
    raise ImportError(
        "leaf_iqa.torchmetric needs torchmetrics: pip install 'leaf-iqa[torchmetrics]'"
    ) from error

from leaf_iqa.metric import pictures_of
from leaf_iqa.student import Student, load


class LeafQuality(Metric):  # type: ignore[misc]
    """The mean score on the student's scale. Images are [n, 3, height, width] on 0..1, or uint8."""

    full_state_update = False
    is_differentiable = False

    def __init__(self, student: Student | str | os.PathLike[str], **settings: Any) -> None:
        super().__init__(**settings)
        self.student = student if isinstance(student, Student) else load(student)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("count", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher score is a better image."""
        return not self.student.card.lower_is_better

    def update(self, images: Any) -> None:
        """Scores a batch. Raises ValueError for other shapes and ranges."""
        values = images.detach().cpu().numpy()
        planes = values / np.float32(255) if values.dtype == np.uint8 else values
        scores = self.student.scores(pictures_of(planes))
        self.total += float(scores.sum())
        self.count += len(scores)

    def compute(self) -> Any:
        """The mean; NaN before the first image."""
        return self.total / self.count
