"""The losses of distillation and calibration, on the scores of one whole (global) batch.

Targets and weights may lie on the host: what of them is there is decided there, so that no step waits for a
GPU.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

_SMALL = 1e-8


def point_loss(scores: Tensor, targets: Tensor, delta: float) -> Tensor | None:
    """Mean Huber loss over the images that have a target (not NaN); None when there is none."""
    known = torch.nonzero(~torch.isnan(targets)).squeeze(1)
    if not len(known):
        return None
    return F.huber_loss(scores[_beside(known, scores)], _beside(targets[known], scores), delta=delta)


def pair_loss(
    scores: Tensor,
    a: Tensor,
    b: Tensor,
    p: Tensor,
    weight: Tensor,
    temperature: float,
    total: float | None = None,
) -> Tensor | None:
    """Sum of w BCE(sigmoid((f(a) - f(b)) / T), p) over pairs, divided by `total`; None without pairs.

    LEAF, arXiv 2601.20689: the weight is the confidence 1 - H(p)/ln 2. `total` is the sum of w, by default of
    these pairs. As the mean of such sums over the batches of an epoch it gives all pairs the same say:
    divided by its own, a batch with one pair would count like one with forty.
    """
    if total is None and a.numel() == 0:
        return None
    logits = (scores[a] - scores[b]) / temperature
    each = F.binary_cross_entropy_with_logits(logits, p, reduction="none")
    return (weight * each).sum() / (weight.sum() if total is None else total)


def mse_loss(scores: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor:
    """Mean squared error, weighted or not; the mean weight of all images is 1."""
    targets = _beside(targets, scores)
    if weight is None:
        return F.mse_loss(scores, targets)
    return (_beside(weight, scores) * (scores - targets).square()).mean()


def plcc_loss(scores: Tensor, targets: Tensor, weight: Tensor | None = None) -> Tensor | None:
    """(1 - PLCC) / 2, weighted or not.

    None when PLCC has no meaning: fewer than 2 images, or all targets equal.
    """
    if targets.numel() < 2 or float(targets.max() - targets.min()) < _SMALL:
        return None
    targets = _beside(targets, scores)
    w = torch.ones_like(scores) if weight is None else _beside(weight, scores)
    w = w / w.sum()
    x, y = scores - (w * scores).sum(), targets - (w * targets).sum()
    # The floor keeps the gradient finite where all scores are equal.
    norm = ((w * x * x).sum() * (w * y * y).sum()).clamp_min(_SMALL / targets.numel() ** 2).sqrt()
    return (1 - (w * x * y).sum() / norm) / 2


def _beside(x: Tensor, scores: Tensor) -> Tensor:
    return x.to(scores.device, non_blocking=True)
