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

from distortions import CAPTURE, KINDS, mixture
from full_reference import measures, pseudo_scores
from second import whole_view

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
ALL = KINDS | CAPTURE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("photos", type=Path, help="demo/photos")
    parser.add_argument("--rounds", type=int, default=20, help="versions of each photo")
    options = parser.parse_args()
    session = onnxruntime.InferenceSession(str(options.model))
    rng = np.random.default_rng(5)
    badness, found, kinds, photos = [], [], [], []
    for _ in range(options.rounds):
        for name in PHOTOS:
            photo = Image.open(options.photos / f"{name}.jpg").convert("RGB")
            photo.thumbnail((480, 480))
            x = np.asarray(photo)
            kind, u = str(rng.choice([*ALL, *["mixture"] * 6])), float(rng.random())
            y = mixture(x, u, rng, ALL)[0] if kind == "mixture" else ALL[kind](x, u, rng)
            badness.append(measures(x, y))
            found.append(float(session.run(None, {"pixels": whole_view(Image.fromarray(y))[None]})[0][0]))
            kinds.append(kind)
            photos.append(name)
    # Their quantiles are those of these pictures.
    truth, mu = pseudo_scores(np.array(badness))[0], np.array(found)
    within = [spearmanr(truth[rows], mu[rows]).statistic for rows in (np.array(photos) == n for n in PHOTOS)]
    capture = np.isin(kinds, list(CAPTURE))
    print(
        len(mu),
        "all", round(float(spearmanr(truth, mu).statistic), 3),
        "within photos", round(float(np.mean(within)), 3),
        "capture faults", round(float(spearmanr(truth[capture], mu[capture]).statistic), 3),
    )  # fmt: skip


if __name__ == "__main__":
    main()
