"""SRCC of the shipped network on whole distorted photos of the demonstration, none fitted on."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnxruntime
from PIL import Image
from scipy.stats import spearmanr

from distortions import KINDS, mixture
from full_reference import measures, pseudo_scores
from windows import windows_of

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
            mu = session.run(None, {"pixels": windows_of(y)})[0]
            truth = float(pseudo_scores(measures(x, y)[None], tables)[0][0])
            rows.append((truth, float(mu.mean()), float(mu[0])))
    table = np.array(rows)
    for label, column in (("all windows", 1), ("first window", 2)):
        print(label, len(table), round(float(spearmanr(table[:, 0], table[:, column]).statistic), 3))


if __name__ == "__main__":
    main()
