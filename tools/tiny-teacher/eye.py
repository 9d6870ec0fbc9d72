"""First fit: vision tower and projector, by regression."""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import nn
from transformers import InternVLForConditionalGeneration

from dataset import PAIR_SCALE, Images, batch, pair_targets
from model import SIDE, TEXT_WIDTH, image_tokens
from schedule import Schedule, shuffled


def fit_eye(
    model: InternVLForConditionalGeneration, images: Images, epochs: int, rng: np.random.Generator
) -> None:
    """
    Score and kind of distortion from the mean of the image's tokens. On quarters of the images, which cost
    a fifth and show as well what to look at.
    """
    head = nn.Linear(TEXT_WIDTH, 1 + len(images.kinds))
    eye = [*model.model.vision_tower.parameters(), *model.model.multi_modal_projector.parameters()]
    at = images.train.nonzero().flatten().numpy()
    held_out = (~images.train).nonzero().flatten().numpy()[::5]
    size = 32
    schedule = Schedule([*eye, *head.parameters()], 2e-3, epochs * (len(at) // size))
    start = time.process_time()
    for epoch in range(epochs):
        losses = []
        for chosen in shuffled(at, size, rng):
            mos = images.mos[chosen]
            told = head(image_tokens(model, batch(images, chosen, rng, SIDE // 2)).mean(1))
            score = 3 + told[:, 0]
            better = pair_targets(mos[:, None], mos[None])
            ranks = F.binary_cross_entropy_with_logits((score[:, None] - score[None]) / PAIR_SCALE, better)
            kinds = F.cross_entropy(told[:, 1:], images.kind[chosen])
            loss = F.smooth_l1_loss(score, mos) + 0.5 * ranks + 0.1 * kinds
            schedule.step(loss)
            losses.append(loss.item())
        srcc = agreement(model, head, images, held_out)
        seconds = time.process_time() - start
        print(
            f"eye {epoch + 1}/{epochs}: loss {np.mean(losses):.3f}, "
            f"held-out SRCC {srcc:.3f}, {seconds:.0f} s",
            flush=True,
        )


@torch.no_grad()
def agreement(
    model: InternVLForConditionalGeneration, head: nn.Linear, images: Images, at: NDArray[np.int64]
) -> float:
    parts = np.array_split(at, len(at) // 64 + 1)
    scores = torch.cat([head(image_tokens(model, batch(images, part)).mean(1))[:, 0] for part in parts])
    return float(spearmanr(scores.numpy(), images.mos[at].numpy()).statistic)
