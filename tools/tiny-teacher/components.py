"""python components.py JOB.json, as components.ts writes it: a Markdown table of the components.

A student is a linear head on frozen features, by LEAF's own losses.
A draw is another 70 % of the training images; all arms see the same ones. Figures are of test photos.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from leaf.agreement import pearson, ranks
from leaf.losses import pair_loss, point_loss
from torch import Tensor

SHARE, DELTA = 0.7, 1.0
# One of these for all arms, by how well "both" agrees with the teacher on training photos that it left out.
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0)


def main(job: dict[str, Any]) -> None:
    truth, test = np.array(job["truth"]), np.array(job["test"])
    points = torch.tensor([np.nan if one is None else one for one in job["points"]], dtype=torch.float64)
    x = np.fromfile(job["features"], "<f4").reshape(len(truth), -1).astype(np.float64)
    x = (x - x[~test].mean(0)) / (x[~test].std(0) + 1e-6) / np.sqrt(x.shape[1])
    features = torch.tensor(x)
    pairs = np.array(job["pairs"])
    train = np.flatnonzero(~test)
    scored = test & ~np.isnan(points.numpy())
    print(f"{len(train)} images to learn from, {test.sum()} test images, {len(pairs)} pairs")
    if scored.any():
        said = points.numpy()
        print(f"the teacher itself, {scored.sum()} test images: {srcc(said[scored], truth[scored]):.3f}")
    arms = {
        "points alone": (1, 0, True),
        "pairs alone, all with the same weight": (0, 1, False),
        "pairs alone, by confidence": (0, 1, True),
        "both, pairs with the same weight": (1, 1, False),
        "both, by confidence": (1, 1, True),
    }
    penalty = chosen_penalty(features, points, train, pairs, job)
    print(f"penalty {penalty:g}")
    found: dict[str, list[float]] = {name: [] for name in arms}
    pooled: dict[str, list[float]] = {name: [] for name in arms}
    photos = np.array(job["photo"])

    def within(scores: np.ndarray) -> float:
        """Mean over test photos: on one of another kind the head is off by a constant."""
        each = [test & (photos == photo) for photo in np.unique(photos[test])]
        return float(np.mean([srcc(scores[one], truth[one]) for one in each]))

    for draw in range(job["draws"]):
        rng = np.random.default_rng(draw)
        chosen = np.zeros(len(truth), bool)
        chosen[rng.permutation(train)[: round(SHARE * len(train))]] = True
        own = pairs[chosen[pairs[:, 0].astype(int)] & chosen[pairs[:, 1].astype(int)]]
        for name, (point, pair, confidence) in arms.items():
            scores = student(features, points, chosen, own, (point, pair, confidence), penalty, job)
            found[name].append(within(scores))
            pooled[name].append(srcc(scores[test], truth[test]))
    last = np.array(found["both, by confidence"])
    print("\n| student learns from | SRCC within a photo | against both, by confidence | over all |")
    print("| --- | ---: | ---: | ---: |")
    for name, values in found.items():
        v = np.array(values)
        less = v - last
        print(
            f"| {name} | {v.mean():.3f} ± {v.std(ddof=1):.3f} | {less.mean():+.3f} ± {less.std(ddof=1):.3f} |"
        )


def chosen_penalty(
    features: Tensor, points: Tensor, train: np.ndarray, pairs: np.ndarray, job: dict[str, Any]
) -> float:
    photos = np.array(job["photo"])
    best, chosen = -2.0, PENALTIES[0]
    for penalty in PENALTIES:
        agreed = []
        for photo in np.unique(photos[train]):
            seen = np.zeros(len(photos), bool)
            seen[train] = photos[train] != photo
            own = pairs[seen[pairs[:, 0].astype(int)] & seen[pairs[:, 1].astype(int)]]
            left = train[photos[train] == photo]
            scores = student(features, points, seen, own, (1, 1, True), penalty, job)
            agreed.append(srcc(scores[left], points.numpy()[left]))
        print(f"penalty {penalty:g}: agreement with the teacher on photos left out {np.mean(agreed):.3f}")
        if np.mean(agreed) > best:
            best, chosen = float(np.mean(agreed)), penalty
    return chosen


def student(
    features: Tensor,
    points: Tensor,
    chosen: np.ndarray,
    pairs: np.ndarray,
    arm: tuple[float, float, bool],
    penalty: float,
    job: dict[str, Any],
) -> np.ndarray:
    point, pair, confidence = arm
    targets = points.clone()
    targets[~torch.tensor(chosen)] = torch.nan
    kept = pairs[pairs[:, 3] >= job["minConfidence"]] if confidence else pairs
    a, b = (torch.tensor(kept[:, i].astype(np.int64)) for i in (0, 1))
    p = torch.tensor(kept[:, 2])
    weight = torch.tensor(kept[:, 3]) if confidence else torch.ones_like(p)
    head = torch.zeros(features.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.full((), float(targets.nanmean()), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([head, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        scores = features @ head + bias
        loss = penalty * head.square().sum() / chosen.sum()
        if point and (term := point_loss(scores, targets, DELTA)) is not None:
            loss = loss + point * term
        if pair and (term := pair_loss(scores, a, b, p, weight, job["temperature"])) is not None:
            loss = loss + pair * term
        loss.backward()
        return loss

    optimizer.step(closure)
    return (features @ head + bias).detach().numpy()


def srcc(x: np.ndarray, y: np.ndarray) -> float:
    return pearson(ranks(x), ranks(y)) or 0.0


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
