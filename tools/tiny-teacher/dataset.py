"""The distorted crops that make-images.ts wrote, and what the teacher should answer about them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

# Spread of the five words around a score, and scale of a preference, in steps of the five words.
WORD_SIGMA = 0.6
PAIR_SCALE = 0.4


@dataclass(frozen=True)
class Images:
    pixels: NDArray[np.uint8]
    """(n, 192, 192, 3), memory-mapped."""
    mos: torch.Tensor
    """(n,) MS-SSIM truth on 1..5."""
    kind: torch.Tensor
    """(n,) index into `kinds`."""
    kinds: list[str]
    photo: list[str]
    train: torch.Tensor
    """(n,) bool: of a training photo, else of a validation photo."""


def read_images(folder: Path) -> Images:
    described = json.loads((folder / "images.json").read_text())
    rows, side = described["images"], described["side"]
    pixels = np.memmap(folder / "pixels.bin", np.uint8, "r").reshape(len(rows), side, side, 3)
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    return Images(
        pixels=pixels,
        mos=torch.tensor([row["mos"] for row in rows]),
        kind=torch.tensor([kinds.index(row["kind"]) for row in rows]),
        kinds=kinds,
        photo=[row["photo"] for row in rows],
        train=torch.tensor([row["split"] == "train" for row in rows]),
    )


def batch(
    images: Images, at: NDArray[np.int64], rng: np.random.Generator | None = None, side: int | None = None
) -> torch.Tensor:
    """
    (n, 3, side, side) uint8. With `rng`: turned, mirrored, colours exchanged or removed; the truth stays.
    A `side` below the images' takes a random window of it, on the grid of JPEG's blocks.
    """
    chosen = images.pixels[at]
    if rng is None:
        return torch.from_numpy(chosen).permute(0, 3, 1, 2).contiguous()
    whole = chosen.shape[1]
    side = side or whole
    out = np.empty((len(at), 3, side, side), np.uint8)
    for i, picture in enumerate(chosen):
        top, left = 8 * rng.integers((whole - side) // 8 + 1, size=2)
        window = np.rot90(picture[top : top + side, left : left + side], int(rng.integers(4)))
        if rng.random() < 0.5:
            window = window[:, ::-1]
        if rng.random() < 0.3:
            window = window[..., rng.permutation(3)]
        elif rng.random() < 0.3:
            window = window.mean(-1, keepdims=True).round()
        out[i] = window.transpose(2, 0, 1)
    return torch.from_numpy(out)


def word_targets(mos: torch.Tensor) -> torch.Tensor:
    """(n, 5) from excellent to bad: a Gaussian around the score, as in DeQA-Score (arXiv 2501.11561)."""
    steps = torch.arange(5, 0, -1, dtype=torch.float32)
    return torch.softmax(-((mos[:, None] - steps) ** 2) / (2 * WORD_SIGMA**2), 1)


def pair_targets(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(n,) probability that the first image is better (Bradley-Terry)."""
    return torch.sigmoid((first - second) / PAIR_SCALE)
