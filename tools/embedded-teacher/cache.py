"""Runs the untrained blocks and the baseline's statistics once over all regions and their mirror images."""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap

from network import CROP, QualityNetwork, channels_last
from nss import nss

BATCH = 24


def work(job: tuple[Path, int, int]) -> None:
    data, start, stop = job
    torch.set_num_threads(1)
    network = channels_last(QualityNetwork())
    pixels = np.load(data / "pixels.npy", mmap_mode="r")
    trunk, early, features, statistics = (
        np.load(data / f"{name}.npy", mmap_mode="r+") for name in ("trunk", "early", "features", "nss")
    )
    for at in range(start, stop, BATCH):
        end = min(stop, at + BATCH)
        for mirrored in (0, 1):
            batch = pixels[at:end, :, :: 1 - 2 * mirrored]
            with torch.inference_mode():
                x, pooled = network.trunk(torch.from_numpy(np.ascontiguousarray(batch)))
                features[mirrored, at:end] = network.branch(x, pooled).numpy()
            trunk[mirrored, at:end] = x.half().permute(0, 2, 3, 1).numpy()
            early[mirrored, at:end] = pooled.numpy()
        for i in range(at, end):
            statistics[i] = nss(pixels[i])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    data: Path = options.data
    pixels = np.load(data / "regions.npz")["pixels"]
    np.save(data / "pixels.npy", pixels)
    n, side = len(pixels), CROP // 4
    for name, shape, kind in (
        ("trunk", (2, n, side, side, 24), np.float16),
        ("early", (2, n, 144), np.float32),
        ("features", (2, n, 608), np.float32),
        ("nss", (n, 36), np.float64),
    ):
        open_memmap(data / f"{name}.npy", "w+", kind, shape).flush()
    edges = np.linspace(0, n, options.processes + 1).astype(int)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        pool.map(work, [(data, int(a), int(b)) for a, b in itertools.pairwise(edges)])


if __name__ == "__main__":
    main()
