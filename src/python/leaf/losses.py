"""The losses of distillation and calibration, on the scores of one whole (global) batch."""

import torch
from torch import Tensor
from torch.nn import functional as F

_SMALL = 1e-8


def point_loss(scores: Tensor, targets: Tensor, delta: float) -> Tensor | None:
    """Mean Huber loss over the images that have a target (not NaN); None when there is none."""
    known = ~torch.isnan(targets)
    if not bool(known.any()):
        return None
    return F.huber_loss(scores[known], targets[known], delta=delta)


def pair_loss(
    scores: Tensor, a: Tensor, b: Tensor, p: Tensor, weight: Tensor, temperature: float
) -> Tensor | None:
    """Sum of w BCE(sigmoid((f(a) - f(b)) / T), p) over pairs, divided by the sum of w; None without pairs.

    LEAF, arXiv 2601.20689: the weight is the confidence 1 - H(p)/ln 2.
    """
    if a.numel() == 0:
        return None
    logits = (scores[a] - scores[b]) / temperature
    each = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    return (weight * each).sum() / weight.sum()


def mse_loss(scores: Tensor, targets: Tensor) -> Tensor:
    return F.mse_loss(scores, targets)


def plcc_loss(scores: Tensor, targets: Tensor) -> Tensor | None:
    """(1 - PLCC) / 2; None when PLCC has no meaning: fewer than 2 images, or all targets equal."""
    if targets.numel() < 2 or float(targets.max() - targets.min()) < _SMALL:
        return None
    x, y = scores - scores.mean(), targets - targets.mean()
    # The floor keeps the gradient finite where all scores are equal.
    norm = (x.square().sum() * y.square().sum()).clamp_min(_SMALL).sqrt()
    return (1 - (x * y).sum() / norm) / 2
