"""What both fits share: shuffling, and AdamW with a warm-up and a cosine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn


def shuffled(at: NDArray[np.int64], size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Full batches of `at` in random order."""
    order = rng.permutation(at)
    for start in range(0, len(order) - size + 1, size):
        yield order[start : start + size]


class Schedule:
    """AdamW whose rate rises for a twentieth of the steps and then falls as a cosine to zero."""

    def __init__(self, parameters: Iterable[nn.Parameter], rate: float, steps: int) -> None:
        self.parameters = list(parameters)
        self.optimizer = torch.optim.AdamW(self.parameters, lr=rate, weight_decay=0.02)
        warm = max(1, steps // 20)
        self.scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda step: min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))),
        )

    def step(self, loss: torch.Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.scheduler.step()
