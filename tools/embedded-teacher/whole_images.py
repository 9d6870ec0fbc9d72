"""SRCC of the shipped network on whole distorted photos never fitted on, mean over six windows."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from scipy.stats import spearmanr

from distortions import KINDS, mixture
from full_reference import WEIGHTS, measures, pseudo_scores
from network import CROP

PHOTOS = [
    "china",
    "coffee",
    "astronaut",
    "rocket",
    "flower",
    "bridge",
    "stream",
    "picos",
    "paints",
    "nuthatch",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="with regions.npz, whose quantiles define the scores")
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path, help="demo/photos")
    options = parser.parse_args()
    tables = pseudo_scores(np.load(options.data / "regions.npz")["badness"])[1]
    grid = np.linspace(0, 1, len(tables))
    session = onnxruntime.InferenceSession(str(options.model))
    rng = np.random.default_rng(5)
    rows: list[tuple[float, float, float]] = []
    for _ in range(30):
        for name in PHOTOS:
            photo = Image.open(options.photos / f"{name}.jpg").convert("RGB")
            photo.thumbnail((480, 480))
            x = np.asarray(photo)
            kind, u = str(rng.choice([*KINDS, *["mixture"] * 6])), float(rng.random())
            y = mixture(x, u, rng)[0] if kind == "mixture" else KINDS[kind](x, u, rng)
            tops, lefts = (
                np.linspace(0, n - CROP, k).astype(int) for n, k in zip(y.shape[:2], (2, 3), strict=True)
            )
            windows = np.stack([y[r : r + CROP, c : c + CROP] for r in tops for c in lefts])
            mu = session.run(None, {"pixels": windows})[0]
            badness = measures(x, y)
            ranks = np.array([np.interp(b, tables[:, i], grid) for i, b in enumerate(badness)])
            truth = 5 - 4 * float(np.interp(ranks @ WEIGHTS / WEIGHTS.sum(), tables[:, -1], grid))
            rows.append((truth, float(mu.mean()), float(mu[0])))
    table = np.array(rows)
    for label, column in (("six windows", 1), ("one window", 2)):
        print(label, len(table), round(float(spearmanr(table[:, 0], table[:, column]).statistic), 3))


if __name__ == "__main__":
    main()
