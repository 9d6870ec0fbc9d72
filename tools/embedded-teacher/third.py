"""Makes the third edition: the second one's mu, and its sharpness and light beside it in equal parts.

Writes model.onnx and teacher.json. Needs DATA of versions.py, and both files of the second edition. No human
score is involved: each of the three is divided by its deviation between photos without faults.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnx
import onnxruntime

from card import write_card
from fit import line, patterns, sigma_at_knots, srcc
from graph import with_plain
from independent import forward
from photos import CREDITS
from plain import FULL_WEIGHT, MID_GREY, SHARPEST, plain
from second import (
    WEIGHTS,
    fit_rows,
    held_out,
    load,
    pairs,
    per_kind,
    ranking,
    scores,
)
from train import Floats64


@dataclass
class Scale:
    """Centre and deviation of mu, sharpness and light, and the most that sharpness counts."""

    centre: Floats64
    deviation: Floats64
    sharpest: float

    def sum(self, mu: Floats64, plain: Floats64) -> Floats64:
        """Of the three in equal parts; two count less in a small picture. `plain`: rows of plain()."""
        three = (self.three(mu, plain) - self.centre) / self.deviation
        weight = np.minimum(1, plain[:, 2] / FULL_WEIGHT)
        out: Floats64 = three[:, 0] + weight * (three[:, 1] + three[:, 2])
        return out

    def three(self, mu: Floats64, plain: Floats64) -> Floats64:
        return np.column_stack([mu, np.minimum(plain[:, 0], self.sharpest), plain[:, 1]])


def scale_of(mu: Floats64, plain: Floats64) -> Scale:
    """By photos without faults."""
    found = Scale(np.zeros(3), np.ones(3), float(np.quantile(plain[:, 0], SHARPEST)))
    three = found.three(mu, plain)
    return Scale(three.mean(0), three.std(0), found.sharpest)


def plains(file: Path) -> Floats64:
    with np.load(file) as z:
        return np.asarray(z["plain"], np.float64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that versions.py wrote")
    parser.add_argument("second", type=Path, help="model.onnx of the second edition")
    parser.add_argument("card", type=Path, help="teacher.json of the second edition")
    parser.add_argument("assets", type=Path)
    options = parser.parse_args()
    rows, demo = load(options.data / "versions.npz"), load(options.data / "demo.npz")
    own, demos = plains(options.data / "versions.npz"), plains(options.data / "demo.npz")
    with np.load(options.data / "clean.npz") as z:
        clean, clean_photo = z["features"].astype(np.float64), z["photo"]
        clean_first, clean_plain = z["first"].astype(np.float64), z["plain"].astype(np.float64)
    slope, intercept = json.loads(options.card.read_text())["provenance"]["line"]

    def second(head: Floats64, first: Floats64) -> Floats64:
        return np.asarray(slope * (head + first) / 2 + intercept)

    whole, window = held_out(rows, clean, clean_photo)
    mu, part = second(whole, rows.first[:, 0]), second(window, rows.first[:, 1])
    weights, bias = fit_rows(rows, np.ones(len(rows.photo), bool), clean)
    truth = scores(rows.badness)
    # Photos that neither the first network nor the head of the fold has seen.
    new = rows.photo >= sum(len(photos) for photos in CREDITS.values())
    scale = scale_of(second(clean @ weights + bias, clean_first), clean_plain)
    total = np.concatenate([scale.sum(mu, own[:, 0])[new], scale.sum(part, own[:, 1])[new]])
    both = np.tile(truth[new], 2)
    to_scale = line(total, both)
    sigma = sigma_at_knots(to_scale[0] * total + to_scale[1], both)
    before = second(demo.features @ weights + bias, demo.first[:, 0])
    small = second(demo.windows @ weights + bias, demo.first[:, 1])
    after = to_scale[0] * scale.sum(before, demos[:, 0]) + to_scale[1]
    figures = {
        "newPhotos": {
            "versions": int(new.sum()),
            "second": srcc(mu[new], truth[new]),
            "third": srcc(scale.sum(mu, own[:, 0])[new], truth[new]),
        },
        "demo": {
            "photos": len(np.unique(demo.photo)),
            "versions": len(after),
            "third": ranking(after, demo),
            "second": ranking(before, demo),
            "perKind": per_kind(after, demo),
            "perKindBefore": per_kind(before, demo),
            "windows": {
                "second": srcc(small, scores(demo.badness)),
                "third": srcc(scale.sum(small, demos[:, 1]), scores(demo.badness)),
            },
            "pairReliability": pairs(after, scores(demo.badness), sigma),
        },
    }
    options.assets.mkdir(parents=True, exist_ok=True)
    file = options.assets / "model.onnx"
    model = onnx.load(options.second)
    seconds = np.array([forward(model, picture) for picture in patterns()])
    sums = scale.sum(seconds, np.array([plain(picture) for picture in patterns()]))
    check = (to_scale[0] * sums + to_scale[1]).tolist()
    onnx.save(with_plain(model, scale.centre, scale.deviation, scale.sharpest, to_scale), file)
    session = onnxruntime.InferenceSession(str(file))
    difference = float(np.abs(session.run(None, {"pixels": patterns()})[0] - check).max())
    provenance = {
        "weights": WEIGHTS.tolist(),
        "plain": {
            "of": ["mu of the second edition", "sharpness of plain.py", f"mean luma, at most {MID_GREY}"],
            "centre": scale.centre.tolist(),
            "deviation": scale.deviation.tolist(),
            "sharpest": scale.sharpest,
            "fullWeightFromPixels": FULL_WEIGHT,
        },
        "line": list(to_scale),
    }
    write_card(options.assets, sigma, check, difference, provenance, figures)


if __name__ == "__main__":
    main()
