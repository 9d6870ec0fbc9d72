"""Trains one network: ridge regression for the head, then the later blocks and the head together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from network import FIRST_TRAINED, QualityNetwork, channels_last

Floats64 = NDArray[np.float64]
# Side of the part of the trunk's output (a quarter of the crop's side) that a training step sees.
WINDOW = 32


@dataclass
class Regions:
    """Rows of DATA: `photo` says which photo a row is of; of array(...) the second half is mirrored."""

    data: Path
    score: Floats64
    photo: NDArray[np.int64]
    kind: NDArray[np.str_]
    strength: Floats64

    def array(self, name: str) -> NDArray[np.float32]:
        loaded: NDArray[np.float32] = np.load(self.data / f"{name}.npy", mmap_mode="r")
        return loaded


def ridge(x: Floats64, y: Floats64, alpha: float) -> tuple[Floats64, float]:
    """Weights and intercept for standardised x."""
    centre = float(y.mean())
    gram = x.T @ x + alpha * np.eye(x.shape[1])
    weights: Floats64 = np.asarray(np.linalg.solve(gram, x.T @ (y - centre)), np.float64)
    return weights, centre


def standard(x: Floats64) -> tuple[Floats64, Floats64]:
    return np.asarray(x.mean(0)), np.asarray(1 / (x.std(0) + 1e-3))


def baselines(regions: Regions, train: NDArray[np.int64], test: NDArray[np.int64]) -> dict[str, Floats64]:
    """Test rows by ridge on natural-scene statistics (nss) and on untrained features (frozen)."""
    out = {}
    for name, alpha in (("nss", 10.0), ("features", 300.0)):
        x = np.asarray(regions.array(name), np.float64)
        x = np.arctan(x) if name == "nss" else x[0]
        if name == "nss":
            x = np.concatenate([x, x**2, x**3], 1)
        mean, scale = standard(x[train])
        weights, centre = ridge((x[train] - mean) * scale, regions.score[train], alpha)
        out["nss" if name == "nss" else "frozen"] = (x[test] - mean) * scale @ weights + centre
    return out


def ranking(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Logistic loss over all pairs of a batch whose targets differ clearly."""
    difference = target[:, None] - target[None]
    clear = (difference > 0.3).float()
    margin = predicted[:, None] - predicted[None]
    return (F.softplus(-2 * margin) * clear).sum() / clear.sum().clamp(min=1)


def fit_network(regions: Regions, train: NDArray[np.int64], epochs: int, seed: int) -> QualityNetwork:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    network = channels_last(QualityNetwork())
    frozen = np.concatenate(list(regions.array("features")[:, train])).astype(np.float64)
    mean, scale = standard(frozen)
    weights, centre = ridge((frozen - mean) * scale, np.tile(regions.score[train], 2), 1000.0)
    with torch.no_grad():
        network.mean.copy_(torch.from_numpy(mean))
        network.scale.copy_(torch.from_numpy(scale))
        network.head.weight.copy_(torch.from_numpy(weights)[None])
        network.head.bias.fill_(centre)
    trained = [p for block in network.blocks[FIRST_TRAINED:] for p in block.parameters()]
    groups = [{"params": trained, "lr": 6e-4}, {"params": network.head.parameters(), "lr": 6e-4}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.02)
    batch = 32
    steps = epochs * (len(train) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [6e-4, 6e-4], steps, pct_start=0.15)
    trunk, early = regions.array("trunk"), regions.array("early")
    target = torch.from_numpy(regions.score).float()
    for epoch in range(epochs):
        order = rng.permutation(train)
        losses = []
        for at in range(0, len(order) - batch + 1, batch):
            rows = np.sort(order[at : at + batch])
            mirrored = (rng.random(batch) < 0.5).astype(np.int64)
            top, left = rng.integers(0, trunk.shape[2] - WINDOW + 1, 2)
            window = trunk[mirrored, rows, top : top + WINDOW, left : left + WINDOW]
            x = torch.from_numpy(window).float().permute(0, 3, 1, 2)
            predicted = network.score(network.branch(x, torch.from_numpy(early[mirrored, rows])))
            loss = F.huber_loss(predicted, target[rows], delta=0.5) * 2 + 0.5 * ranking(
                predicted, target[rows]
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5)
            optimiser.step()
            schedule.step()
            losses.append(float(loss))
        print(f"seed {seed} epoch {epoch + 1}/{epochs} loss {np.mean(losses):.3f}", flush=True)
    return network


def predict(network: QualityNetwork, regions: Regions, rows: NDArray[np.int64]) -> Floats64:
    trunk, early = regions.array("trunk"), regions.array("early")
    out = []
    with torch.inference_mode():
        for at in range(0, len(rows), 32):
            some = rows[at : at + 32]
            x = torch.from_numpy(trunk[0, some]).float().permute(0, 3, 1, 2)
            out.append(network.score(network.branch(x, torch.from_numpy(early[0, some]))).numpy())
    return np.concatenate(out).astype(np.float64)
