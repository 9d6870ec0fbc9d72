"""The three splits' networks on whole held-out photos, scored as shipped: by the mean over windows.

Needs the networks of fit.py in DATA. Writes there the windows and measures of the distorted pictures
(windows.npy, whole.npz) and the figures (whole.json).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr

from distortions import KINDS, Picture, mixture
from fit import SPLITS, line, load, pair_checks, per_kind, split_rows, srcc
from full_reference import measures, pseudo_scores
from network import QualityNetwork, channels_last
from photos import find_photos
from train import Floats64
from windows import windows_of

SIDES = (500, 900)
STRENGTHS = 2
MIXTURES = 8
CLEAN = 2
# The middle one of the nine windows that every picture of these sizes has.
MIDDLE = 4


def scaled(photo: Image.Image, rng: np.random.Generator) -> Picture:
    """The whole photo with a random short side, well under the original's (see photos.py)."""
    factor = rng.uniform(SIDES[0], min(SIDES[1], min(photo.size) / 1.7)) / min(photo.size)
    size = (round(photo.width * factor), round(photo.height * factor))
    return np.asarray(photo.resize(size, Image.Resampling.LANCZOS))


def distorted(job: tuple[int, str]) -> tuple[list[str], Floats64, Picture]:
    """Kinds, measures and windows of one photo's distorted versions."""
    number, file = job
    rng = np.random.default_rng([2602, number])
    photo = Image.open(file).convert("RGB")
    photo.thumbnail((3000, 3000), Image.Resampling.LANCZOS)
    plan = [kind for kind in KINDS for _ in range(STRENGTHS)] + ["mixture"] * MIXTURES + ["none"] * CLEAN
    rows, windows = [], []
    for place, kind in enumerate(plan):
        reference = scaled(photo, rng)
        # One weak and one strong of each kind, as in the regions that the networks were fitted on.
        u = float(rng.uniform(0, 0.5) + 0.5 * (place % 2))
        if kind == "none":
            picture = reference
        elif kind == "mixture":
            picture, _ = mixture(reference, u, rng)
        else:
            picture = KINDS[kind](reference, u, rng)
        rows.append(measures(reference, picture))
        windows.append(windows_of(picture))
    print(Path(file).name, flush=True)
    return plan, np.array(rows), np.stack(windows)


def build(photos: Path, data: Path, processes: int) -> None:
    regions = load(data)
    held_out = [np.unique(regions.photo[split_rows(regions.photo, k)[1]]) for k in range(SPLITS)]
    found = find_photos(photos)
    jobs = [(int(i), str(found[i][1])) for i in np.concatenate(held_out)]
    with multiprocessing.Pool(processes) as pool:
        parts = pool.map(distorted, jobs, chunksize=1)
    np.save(data / "windows.npy", np.concatenate([part[2] for part in parts]))
    each = len(parts[0][0])
    np.savez(
        data / "whole.npz",
        kind=np.array([k for part in parts for k in part[0]]),
        badness=np.concatenate([part[1] for part in parts]),
        photo=np.repeat([i for i, _ in jobs], each),
        split=np.repeat(np.arange(SPLITS), [len(some) * each for some in held_out]),
    )


def predict(data: Path, split: int, windows: Picture) -> Floats64:
    """The split's network on every window, [pictures, windows]."""
    network = channels_last(QualityNetwork())
    network.load_state_dict(torch.load(data / f"network{split}.pt", weights_only=True))
    with torch.inference_mode():
        rows = [network(torch.from_numpy(np.array(some))).numpy() for some in windows]
    return np.stack(rows).astype(np.float64)


def by_split(scores: Floats64, split: NDArray[np.int64]) -> list[Floats64]:
    return [scores[split == k] for k in range(SPLITS)]


def summary(each: list[float]) -> dict[str, object]:
    return {"srcc": round(float(np.mean(each)), 4), "splits": each}


def within_photos(mu: Floats64, truth: Floats64, photo: NDArray[np.int64]) -> float:
    """SRCC among the versions of one photo, mean over the photos."""
    each = [spearmanr(mu[photo == i], truth[photo == i]).statistic for i in np.unique(photo)]
    return round(float(np.mean(each)), 4)


def interval(mu: list[Floats64], truth: list[Floats64], photo: list[NDArray[np.int64]]) -> list[float]:
    """95 % of the mean SRCC when each split's photos are drawn anew from its own, with replacement."""
    rng, means = np.random.default_rng(13), []
    for _ in range(500):
        found = []
        for a, y, p in zip(mu, truth, photo, strict=True):
            some = np.unique(p)
            rows = np.concatenate([np.flatnonzero(p == i) for i in rng.choice(some, len(some))])
            found.append(spearmanr(a[rows], y[rows]).statistic)
        means.append(np.mean(found))
    return [round(float(x), 3) for x in np.quantile(means, [0.025, 0.975])]


def evaluate(data: Path) -> dict[str, object]:
    whole = np.load(data / "whole.npz")
    windows = np.load(data / "windows.npy", mmap_mode="r")
    split, badness = whole["split"], whole["badness"]
    single = [predict(data, k, windows[split == k]) for k in range(SPLITS)]
    mu = [found.mean(1) for found in single]
    kinds, photos = ([whole[name][split == k] for k in range(SPLITS)] for name in ("kind", "photo"))
    truth = by_split(pseudo_scores(badness)[0], split)
    tables = pseudo_scores(np.load(data / "regions.npz")["badness"])[1]
    by_regions = by_split(pseudo_scores(badness, tables)[0], split)
    # What the shipped sigma rests on: single regions of held-out photos.
    regions = load(data)
    parts = [np.load(data / f"split{k}.npz") for k in range(SPLITS)]
    region_mu, region_truth = [p["network"] for p in parts], [regions.score[p["rows"]] for p in parts]
    slope, intercept = line(np.concatenate(mu), np.concatenate(truth))
    error = slope * np.concatenate(mu) + intercept - np.concatenate(truth)
    return {
        "pictures": [len(y) for y in truth],
        "windows": summary([srcc(a, y) for a, y in zip(mu, truth, strict=True)]),
        "windowsInterval": interval(mu, truth, photos),
        "middleWindow": summary([srcc(a[:, MIDDLE], y) for a, y in zip(single, truth, strict=True)]),
        "windowsWithinPhotos": summary([
            within_photos(a, y, photo) for a, y, photo in zip(mu, truth, photos, strict=True)
        ]),
        "windowsByRegionQuantiles": summary([srcc(a, y) for a, y in zip(mu, by_regions, strict=True)]),
        "perKind": per_kind(mu, truth, kinds),
        "pairReliability": pair_checks(mu, truth),
        "pairReliabilityByRegionSigma": pair_checks(mu, truth, region_mu, region_truth),
        "rmse": round(float(np.sqrt(np.mean(error**2))), 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with the unpacked packages")
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--figures-only", action="store_true", help="use the pictures already in DATA")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.figures_only:
        build(options.photos, options.data, options.processes)
    figures = evaluate(options.data)
    (options.data / "whole.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
