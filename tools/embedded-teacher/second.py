"""Fits the second edition: the mean of the first edition's network and of a head on the untrained network.

Writes model.onnx and teacher.json. Needs DATA of versions.py and the first edition's model.onnx.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from card import write_card
from fit import KNOTS, line, patterns, preference, reliability, sigma_at_knots, srcc
from graph import any_size, mean_of
from independent import forward
from network import FEATURES, QualityNetwork
from photos import CREDITS
from train import Floats64

FOLDS = 5
# Both by the SRCC on photos held out. 1 makes the second penalty as large as the first on average.
PENALTY = 200.0
CLEAN_PENALTY = 1.0
# Of the measures and of the information that a picture still has of the photo; without the latter as in the
# first edition.
WEIGHTS = np.array([1, 1, 1, 0.5, 1])
FAULTS_ALONE = np.array([1, 1, 1, 0.5, 0])
Rows = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass
class Versions:
    """One row a picture: features and the first network's score, of the whole and of a window."""

    features: Floats64
    windows: Floats64
    first: Floats64
    badness: Floats64
    photo: Indices
    kind: NDArray[np.str_]


def load(file: Path) -> Versions:
    with np.load(file) as z:
        x = {k: z[k].astype(np.float64) for k in ("features", "windows", "first", "badness")}
        return Versions(**x, photo=z["photo"], kind=z["kind"])


def scores(badness: Floats64, weights: Floats64 = WEIGHTS) -> Floats64:
    """As pseudo_scores of the first edition, with a measure more: quantile scales, uniform on 1..5."""
    ranks = np.stack([quantile_scale(column) for column in badness.T], 1)
    return np.asarray(5 - 4 * quantile_scale(ranks @ weights / weights.sum()))


def quantile_scale(x: Floats64) -> Floats64:
    grid = np.linspace(0, 1, 101)
    return np.asarray(np.interp(x, np.quantile(x, grid), grid))


def fit_head(x: Floats64, y: Floats64, clean: Floats64) -> tuple[Floats64, float]:
    """Weights and intercept of a ridge on standardised features.

    It shrinks most where photos without faults differ, since that is what they show, not how good they are.
    """
    mean = x.mean(0)
    scale = 1 / (x.std(0) + 1e-3 * np.abs(mean) + 1e-3)
    a, z = (x - mean) * scale, (clean - mean) * scale
    content = np.cov(z.T, bias=True)
    n = len(mean)
    penalty = PENALTY * (np.eye(n) + CLEAN_PENALTY * content / np.trace(content) * n)
    weights: Floats64 = np.linalg.solve(a.T @ a + penalty, a.T @ (y - y.mean())) * scale
    return weights, float(y.mean() - weights @ mean)


def fit_rows(rows: Versions, some: Rows, clean: Floats64) -> tuple[Floats64, float]:
    """The head on whole pictures and on windows, whose score is that of the whole."""
    x, y = np.concatenate([rows.features[some], rows.windows[some]]), scores(rows.badness)[some]
    return fit_head(x, np.tile(y, 2), clean)


def folds(photo: Indices) -> list[Rows]:
    """Rows of the photos that each fold holds out."""
    each = np.unique(photo)
    order = np.random.default_rng(1).permutation(len(each))
    return [np.isin(photo, each[order[k::FOLDS]]) for k in range(FOLDS)]


def held_out(rows: Versions, clean: Floats64, clean_photo: Indices) -> tuple[Floats64, Floats64]:
    """Whole pictures and windows, each scored by a head that saw no version of its photo."""
    whole, window = np.zeros(len(rows.photo)), np.zeros(len(rows.photo))
    for test in folds(rows.photo):
        weights, bias = fit_rows(rows, ~test, clean[~np.isin(clean_photo, rows.photo[test])])
        whole[test], window[test] = (x[test] @ weights + bias for x in (rows.features, rows.windows))
    return whole, window


def ranking(mu: Floats64, rows: Versions) -> dict[str, object]:
    truth, photos = scores(rows.badness), np.unique(rows.photo)
    rng, drawn = np.random.default_rng(13), []
    for _ in range(500):
        some = np.concatenate([np.flatnonzero(rows.photo == i) for i in rng.choice(photos, len(photos))])
        drawn.append(spearmanr(mu[some], truth[some]).statistic)
    each = [spearmanr(mu[rows.photo == i], truth[rows.photo == i]).statistic for i in photos]
    return {
        "srcc": srcc(mu, truth),
        "interval": [round(float(x), 3) for x in np.quantile(drawn, [0.025, 0.975])],
        "faultsAlone": srcc(mu, scores(rows.badness, FAULTS_ALONE)),
        "withinPhotos": round(float(np.mean(each)), 4),
    }


def per_kind(mu: Floats64, rows: Versions) -> dict[str, float]:
    truth = scores(rows.badness)
    kinds = [str(k) for k in np.unique(rows.kind) if k != "none"]
    return {k: srcc(mu[rows.kind == k], truth[rows.kind == k]) for k in kinds}


def pairs(mu: Floats64, truth: Floats64, sigma: Floats64) -> dict[str, float]:
    i, j = np.random.default_rng(11).integers(0, len(mu), (2, 20000))
    differ = np.abs(truth[i] - truth[j]) > 1e-6
    i, j = i[differ], j[differ]
    p = preference(mu, np.interp(mu, KNOTS, sigma), i, j)
    return reliability(p, (p > 0.5) == (truth[i] > truth[j]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that versions.py wrote")
    parser.add_argument("first", type=Path, help="model.onnx of the first edition")
    parser.add_argument("assets", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, demo = load(options.data / "versions.npz"), load(options.data / "demo.npz")
    with np.load(options.data / "clean.npz") as z:
        clean, clean_photo = z["features"].astype(np.float64), z["photo"]
    whole, window = held_out(rows, clean, clean_photo)
    truth = scores(rows.badness)
    # Photos that neither the first network nor the head of the fold has seen say how far the mean is off.
    new = rows.photo >= sum(len(photos) for photos in CREDITS.values())
    mean = np.concatenate([(whole + rows.first[:, 0])[new], (window + rows.first[:, 1])[new]]) / 2
    slope, intercept = line(mean, np.tile(truth[new], 2))
    sigma = sigma_at_knots(slope * mean + intercept, np.tile(truth[new], 2))
    weights, bias = fit_rows(rows, np.ones(len(truth), bool), clean)
    head = demo.features @ weights + bias
    mu = slope * (head + demo.first[:, 0]) / 2 + intercept
    figures = {
        "heldOut": {
            "photos": len(np.unique(rows.photo)),
            "versions": len(truth),
            "head": ranking(whole, rows),
        },
        "demo": {
            "photos": len(np.unique(demo.photo)),
            "versions": len(mu),
            "both": ranking(mu, demo),
            "first": ranking(demo.first[:, 0], demo),
            "head": ranking(head, demo),
            "perKind": per_kind(mu, demo),
            "pairReliability": pairs(mu, scores(demo.badness), sigma),
        },
    }
    options.assets.mkdir(parents=True, exist_ok=True)
    file = options.assets / "model.onnx"
    first = any_size(onnx.load(options.first))
    model = mean_of(first, headed(weights, bias), slope, intercept)
    onnx.save(model, file)
    session = onnxruntime.InferenceSession(str(file))
    check = [forward(model, picture) for picture in patterns()]
    difference = float(np.abs(session.run(None, {"pixels": patterns()})[0] - check).max())
    provenance = {"weights": WEIGHTS.tolist(), "line": [slope, intercept]}
    write_card(options.assets, sigma, check, difference, provenance, figures)


def headed(weights: Floats64, bias: float) -> onnx.ModelProto:
    """The untrained network with this head, for pictures of any size."""
    network = QualityNetwork()
    with torch.no_grad():
        network.head.weight.copy_(torch.from_numpy(weights)[None])
        network.head.bias.fill_(bias)
    sizes = {k + 1: torch.export.Dim(name, min=32) for k, name in enumerate(("height", "width"))}
    program = torch.onnx.export(
        network, (torch.zeros(2, 200, 220, 3, dtype=torch.uint8),), input_names=["pixels"],
        output_names=["mu"], dynamo=True, dynamic_shapes=({0: torch.export.Dim("n", min=1)} | sizes,),
        opset_version=18,
    )  # fmt: skip
    if program is None or len(weights) != FEATURES:
        raise RuntimeError("nothing was exported")
    return program.model_proto


if __name__ == "__main__":
    main()
