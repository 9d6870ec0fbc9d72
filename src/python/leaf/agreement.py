"""Agreement of predicted and true scores: SRCC, PLCC, RMSE."""

import math

import numpy as np
from numpy.typing import NDArray

from leaf.contract.trainer import Agreement

Scores = NDArray[np.float64]
MIN_FOR_CHOICE = 5


def ranks(values: Scores) -> Scores:
    """Ranks from 1, ties sharing their mean rank."""
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(times)
    means: Scores = ends - (times - 1) / 2
    return means[place]


def pearson(x: Scores, y: Scores) -> float | None:
    """Pearson correlation; None where undefined (fewer than 2 values, or a constant side)."""
    if len(x) < 2:
        return None
    x, y = x - x.mean(), y - y.mean()
    norm = math.sqrt(float(x @ x)) * math.sqrt(float(y @ y))
    if norm <= 1e-12 or not math.isfinite(norm):
        return None
    return max(-1.0, min(1.0, float(x @ y) / norm))


def agreement(predicted: NDArray[np.float32], truth: NDArray[np.float32]) -> Agreement:
    x, y = predicted.astype(np.float64), truth.astype(np.float64)
    rmse = math.sqrt(float(np.mean((x - y) ** 2))) if len(x) else None
    return Agreement(n=len(x), srcc=pearson(ranks(x), ranks(y)), plcc=pearson(x, y), rmse=rmse)


def merit(found: Agreement | None) -> float | None:
    """What the best epoch has most of: the mean of SRCC and PLCC; None where too few images tell."""
    if found is None or found.n < MIN_FOR_CHOICE or found.srcc is None or found.plcc is None:
        return None
    return (found.srcc + found.plcc) / 2
