"""How far an image lies from those a student was trained on, in the space of its features.

The Mahalanobis distance of Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution
Samples", NeurIPS 2018, with one class.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from leaf.contract.trainer import DomainFacts

Features = NDArray[np.float64]
# Enough for a shrunk covariance of 1,280 features and for a quantile: a million images need no more.
MOST_FITTED, MOST_HELD_OUT = 2048, 1024
LEAST_FITTED, LEAST_HELD_OUT = 24, 12
QUANTILE = 0.99


class Domain(nn.Module):
    """Features [N, D] to distances [N]: |(f - mean) W|, with W W^T the inverse of the shrunk covariance."""

    def __init__(self, mean: Features, covariance: Features) -> None:
        super().__init__()
        self.mean: Tensor
        self.whitening: Tensor
        values, vectors = np.linalg.eigh(covariance)
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("whitening", torch.from_numpy((vectors / np.sqrt(values)).astype(np.float32)))

    def forward(self, features: Tensor) -> Tensor:
        return ((features - self.mean) @ self.whitening).square().sum(dim=1).sqrt()


@dataclass(frozen=True)
class Sample:
    """Rows to fit the distance on, and others, which the student did not learn from, to set the threshold."""

    fit: NDArray[np.int64]
    held_out: NDArray[np.int64]


def choose(train: NDArray[np.int64], val: NDArray[np.int64], seed: int) -> Sample | None:
    """A bounded seeded sample; None with too few images.

    Without enough val rows a fifth of train is held out instead: a lower threshold, as it knows them.
    """
    rng = np.random.default_rng((seed, 0xD0))
    train, val = rng.permutation(train), rng.permutation(val)
    if len(val) < LEAST_HELD_OUT:
        cut = len(train) // 5
        train, val = train[cut:], train[:cut]
    if len(train) < LEAST_FITTED or len(val) < LEAST_HELD_OUT:
        return None
    return Sample(np.sort(train[:MOST_FITTED]), np.sort(val[:MOST_HELD_OUT]))


def ledoit_wolf(x: Features) -> tuple[Features, float]:
    """The covariance [D, D] of x [n, D] shrunk towards a multiple of the identity, and how much (0..1).

    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """
    n, width = x.shape
    x = x - x.mean(axis=0)
    sample = x.T @ x / n
    mean_variance = float(np.trace(sample)) / width
    spread = float((sample**2).sum()) / width - mean_variance**2
    # The mean squared distance of single outer products from their mean, without forming them.
    noise = (float((np.square(x).sum(axis=1) ** 2).sum()) / n - float((sample**2).sum())) / n / width
    shrinkage = 0.0 if spread <= 0 else min(noise, spread) / spread
    shrunk = (1 - shrinkage) * sample
    shrunk.flat[:: width + 1] += shrinkage * mean_variance
    return shrunk, shrinkage


def fit_domain(fit: NDArray[np.float32], held_out: NDArray[np.float32]) -> tuple[Domain, DomainFacts] | None:
    """From features [images, views, D]; an image's distance is the mean over its views.

    None where the features do not vary.
    """
    width = fit.shape[-1]
    flat = fit.reshape(-1, width).astype(np.float64)
    covariance, shrinkage = ledoit_wolf(flat)
    if not np.isfinite(covariance).all() or float(np.trace(covariance)) / width < 1e-12:
        return None
    # A feature space of nearly equal features must not make rounding errors into distances.
    covariance.flat[:: width + 1] += 1e-6 * float(np.trace(covariance)) / width
    domain = Domain(flat.mean(axis=0), covariance)
    with torch.no_grad():
        found = domain(torch.from_numpy(held_out.reshape(-1, width))).view(held_out.shape[:2]).mean(dim=1)
    threshold = float(np.quantile(found.numpy().astype(np.float64), QUANTILE))
    facts = DomainFacts(
        threshold=threshold,
        quantile=QUANTILE,
        fitted=len(fit),
        held_out=len(held_out),
        shrinkage=shrinkage,
    )
    return (domain, facts) if threshold > 0 else None
