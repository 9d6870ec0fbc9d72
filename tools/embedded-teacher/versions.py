"""Second edition: distorted versions of whole photos, with features and full-reference measures.

Writes DATA/versions.npz (of the teacher's photos), DATA/demo.npz (of photos that it never sees) and
DATA/clean.npz (photos without faults). Pictures have a short side of 256 to 384 px. Of each, a window of
192 px is looked at too.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # before it loads

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from PIL import Image

from camera import ALL, camera
from distortions import Picture, luma, mixture
from full_reference import information, measures
from graph import any_size
from network import CROP, QualityNetwork
from photos import CREDITS, MORE_CREDITS, find_photos
from plain import plain

SIDES = (256, 384)
CLEAN_SIDES = (256, 320, 420, 560)
# A photo is scaled to well under its size, so that the camera's own faults are gone; the demonstration's
# photos are small.
REDUCTION = {False: 1.7, True: 1.05}
PLAN = {
    False: ["none"] + ["camera"] * 7 + ["mixture"] * 5 + ["single"] * 11,
    True: ["none"] + ["camera"] * 6 + ["mixture"] * 3 + ["single"] * 6,
}
Job = tuple[int, str, bool, str]
Features = NDArray[np.float32]


def opened(file: str) -> Image.Image:
    photo = Image.open(file).convert("RGB")
    photo.thumbnail((3000, 3000), Image.Resampling.LANCZOS)
    return photo


def scaled(photo: Image.Image, short: float) -> Picture:
    factor = short / min(photo.size)
    size = (round(photo.width * factor), round(photo.height * factor))
    return np.asarray(photo.resize(size, Image.Resampling.LANCZOS))


class Eyes:
    """The untrained network's features of a picture, and the first edition's score."""

    def __init__(self, first: str) -> None:
        torch.set_num_threads(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.network = QualityNetwork()
        model = any_size(onnx.load(first)).SerializeToString()
        self.first = onnxruntime.InferenceSession(model, options)

    def features(self, picture: Picture) -> Features:
        with torch.inference_mode():
            x, early = self.network.trunk(torch.from_numpy(np.array(picture))[None])
            return self.network.branch(x, early)[0].numpy()

    def score(self, picture: Picture) -> float:
        return float(self.first.run(None, {"pixels": np.ascontiguousarray(picture[None])})[0][0])


def five_measures(reference: Picture, picture: Picture) -> NDArray[np.float64]:
    """Those of the first edition, and how much the picture still tells of the photo (less is worse)."""
    a, b = (luma(x.astype(np.float32)) for x in (reference, picture))
    return np.append(measures(reference, picture), -information(a, b)[0])


def window(picture: Picture, rng: np.random.Generator) -> Picture:
    top, left = (int(rng.integers(0, n - CROP + 1)) for n in picture.shape[:2])
    return picture[top : top + CROP, left : left + CROP]


def versions(job: Job) -> dict[str, NDArray[np.generic]]:
    """Kinds, measures, features and scores of one photo's versions."""
    number, file, demo, first = job
    eyes, photo = Eyes(first), opened(file)
    kinds, rows, features, windows, scores, plains = [], [], [], [], [], []
    plan, names = PLAN[demo], list(ALL)
    for place, kind in enumerate(plan):
        rng = np.random.default_rng([2611 if demo else 2610, number, place])
        largest = min(SIDES[1], min(photo.size) / REDUCTION[demo])
        reference = scaled(photo, float(np.exp(rng.uniform(np.log(SIDES[0]), np.log(largest)))))
        # As many weak as strong versions.
        u = float(rng.uniform(0, 0.5) + 0.5 * ((place + number // 2) % 2))
        if kind == "camera":
            picture = camera(reference, float(rng.uniform(0.1, 1)), rng)
        elif kind == "mixture":
            picture = mixture(reference, u, rng, ALL)[0]
        elif kind == "single":
            kind = names[(place + 11 * number) % len(names)]
            picture = ALL[kind](reference, u, rng)
        else:
            picture = reference
        kinds.append(kind)
        rows.append(five_measures(reference, picture))
        part = window(picture, np.random.default_rng([2613, number, place]))
        features.append(eyes.features(picture))
        windows.append(eyes.features(part))
        scores.append([eyes.score(picture), eyes.score(part)])
        plains.append([plain(picture), plain(part)])
    return {
        "kind": np.array(kinds),
        "badness": np.array(rows),
        "features": np.array(features),
        "windows": np.array(windows),
        "first": np.array(scores),
        "plain": np.array(plains),
        "photo": np.full(len(kinds), number),
    }


def clean(job: Job) -> dict[str, NDArray[np.generic]]:
    """Of one photo without faults, at several sizes: features, first edition's score, plain statistics."""
    eyes, photo = Eyes(job[3]), opened(job[1])
    pictures = [scaled(photo, min(s, min(photo.size) / 1.5)) for s in CLEAN_SIDES]
    return {
        "features": np.array([eyes.features(picture) for picture in pictures]),
        "first": np.array([eyes.score(picture) for picture in pictures]),
        "plain": np.array([plain(picture) for picture in pictures]),
        "photo": np.full(len(pictures), job[0]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="folder with the unpacked packages")
    parser.add_argument("demo", type=Path, help="demo/photos")
    parser.add_argument("first", help="model.onnx of the first edition")
    parser.add_argument("data", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    found = find_photos(options.photos, CREDITS | MORE_CREDITS)
    own: list[Job] = [(i, str(f), False, options.first) for i, (_, f) in enumerate(found)]
    files = sorted(options.demo.glob("*.jpg"))
    demo: list[Job] = [(i, str(f), True, options.first) for i, f in enumerate(files)]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for name, jobs, look in ("versions", own, versions), ("demo", demo, versions), ("clean", own, clean):
            parts = pool.map(look, jobs, chunksize=1)
            columns: dict[str, Any] = {k: np.concatenate([part[k] for part in parts]) for k in parts[0]}
            np.savez(options.data / f"{name}.npz", **columns)


if __name__ == "__main__":
    main()
