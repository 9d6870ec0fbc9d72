"""Second fit: the answers to LEAF's two questions, by cross-entropy at the answer position."""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from transformers import InternVLForConditionalGeneration

from dataset import Images, batch, pair_targets, word_targets
from model import answer_logits, image_tokens
from questions import Questions
from schedule import Schedule, shuffled


def cross_entropy(logits: torch.Tensor, tokens: list[int], targets: torch.Tensor) -> torch.Tensor:
    """Over the whole vocabulary, against `targets` (n, len(tokens)) on some tokens and 0 elsewhere."""
    return -(targets * torch.log_softmax(logits, 1)[:, tokens]).sum(1).mean()


def loss_of_answers(
    model: InternVLForConditionalGeneration,
    questions: Questions,
    seen: torch.Tensor,
    mos: torch.Tensor,
    other: NDArray[np.int64],
) -> torch.Tensor:
    """`seen`: (n, 36, 64) tokens of n images; image i is compared with image other[i], in the order drawn."""
    point = answer_logits(model, questions.point, [seen])
    pair = answer_logits(model, questions.pair, [seen, seen[other]])
    better = pair_targets(mos, mos[other])
    return cross_entropy(point, questions.words, word_targets(mos)) + 2 * cross_entropy(
        pair, questions.letters, torch.stack([better, 1 - better], 1)
    )


def fit_answers(
    model: InternVLForConditionalGeneration,
    questions: Questions,
    images: Images,
    steps: int,
    joint_epochs: int,
    rng: np.random.Generator,
) -> None:
    """First the text model on what the eye tells, computed once; then both together."""
    at = images.train.nonzero().flatten().numpy()
    held_out = (~images.train).nonzero().flatten().numpy()[::5]
    start = time.process_time()
    told = torch.cat([tokens_of(model, images, part, rng) for part in np.array_split(at, len(at) // 64)])
    text = [*model.model.language_model.parameters(), *model.lm_head.parameters()]
    schedule = Schedule(text, 3e-3, steps)
    for step in range(steps):
        chosen = rng.choice(len(at), 64, replace=False)
        loss = loss_of_answers(model, questions, told[chosen], images.mos[at[chosen]], rng.permutation(64))
        schedule.step(loss)
        if (step + 1) % 100 == 0:
            report(f"answers {step + 1}/{steps}", loss, model, questions, images, held_out, start)
    size = 32
    schedule = Schedule(model.parameters(), 5e-4, joint_epochs * (len(at) // size))
    for epoch in range(joint_epochs):
        for chosen in shuffled(at, size, rng):
            seen = image_tokens(model, batch(images, chosen, rng))
            loss = loss_of_answers(model, questions, seen, images.mos[chosen], rng.permutation(size))
            schedule.step(loss)
        report(f"both {epoch + 1}/{joint_epochs}", loss, model, questions, images, held_out, start)


@torch.no_grad()
def tokens_of(
    model: InternVLForConditionalGeneration,
    images: Images,
    at: NDArray[np.int64],
    rng: np.random.Generator | None = None,
) -> torch.Tensor:
    return image_tokens(model, batch(images, at, rng))


@torch.no_grad()
def report(
    what: str,
    loss: torch.Tensor,
    model: InternVLForConditionalGeneration,
    questions: Questions,
    images: Images,
    at: NDArray[np.int64],
    start: float,
) -> None:
    """Prints SRCC of the expected word and the share of right pairs on held-out photos."""
    seen = torch.cat([tokens_of(model, images, part) for part in np.array_split(at, len(at) // 64 + 1)])
    mos = images.mos[at]
    words = answer_logits(model, questions.point, [seen])[:, questions.words]
    score = torch.softmax(words, 1) @ torch.arange(5, 0, -1, dtype=torch.float32)
    other = torch.roll(torch.arange(len(at)), 7)
    letters = answer_logits(model, questions.pair, [seen, seen[other]])[:, questions.letters]
    apart = (mos - mos[other]).abs() > 0.3
    right = ((letters[:, 0] > letters[:, 1]) == (mos > mos[other]))[apart].float().mean()
    srcc = spearmanr(score.numpy(), mos.numpy()).statistic
    print(
        f"{what}: loss {loss.item():.3f}, held-out SRCC {srcc:.3f}, pairs right {right.item():.3f}, "
        f"{time.process_time() - start:.0f} s",
        flush=True,
    )
