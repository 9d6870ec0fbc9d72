"""Builds small caches, label stores and jobs, and runs the trainer as the engine does."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from contracts import checked
from numpy.typing import NDArray

PACKAGE_ROOT = Path(__file__).parent.parent
SCHEMA = """
PRAGMA user_version=3;
CREATE TABLE images(id INTEGER PRIMARY KEY, hash TEXT UNIQUE NOT NULL);
CREATE TABLE points(image_id INTEGER PRIMARY KEY, score REAL NOT NULL);
CREATE TABLE pairs(a_id INTEGER NOT NULL, b_id INTEGER NOT NULL, p REAL NOT NULL, weight REAL NOT NULL,
  PRIMARY KEY(a_id, b_id)) WITHOUT ROWID;
"""


def image_hash(i: int) -> str:
    return f"{i:032x}"


def blurred_textures(n: int, side: int, seed: int) -> tuple[list[NDArray[np.uint8]], NDArray[np.float64]]:
    """Random textures blurred n ways; quality from 1 (most blurred) to 5 (sharp), evenly spread."""
    rng = np.random.default_rng(seed)
    quality = rng.permutation(np.linspace(1, 5, n))
    pictures = []
    for q in quality:
        height, width = side + int(rng.integers(0, 9)), side + int(rng.integers(0, 9))
        noise = rng.normal(size=(height, width, 3))
        sigma = (5 - q) / 4 * 3
        fy, fx = np.fft.fftfreq(height)[:, None, None], np.fft.fftfreq(width)[None, :, None]
        kernel = np.exp(-2 * (np.pi * sigma) ** 2 * (fy**2 + fx**2))
        smooth = np.fft.ifft2(np.fft.fft2(noise, axes=(0, 1)) * kernel, axes=(0, 1)).real
        smooth = smooth / smooth.std() * 40 + rng.uniform(100, 156)
        pictures.append(np.clip(smooth, 0, 255).astype(np.uint8))
    return pictures, quality


def write_cache(folder: Path, pictures: list[NDArray[np.uint8]], crop: int) -> Path:
    """An empty picture stands for an unreadable image."""
    folder.mkdir(parents=True)
    index, offset = [], 0
    with (folder / "pixels.u8").open("wb") as file:
        for picture in pictures:
            height, width = picture.shape[:2]
            index.append((offset, height, width))
            file.write(picture.tobytes())
            offset += picture.size
    np.array(index, dtype="<i8").reshape(-1, 3).tofile(folder / "index.i64")
    (folder / "hashes.txt").write_text("".join(image_hash(i) + "\n" for i in range(len(pictures))))
    about = {"v": 1, "rows": len(pictures), "resize": None, "crop": crop}
    (folder / "cache.json").write_text(json.dumps(about))
    return folder


class Store:
    """The labels of one training as the engine writes them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript(SCHEMA)

    def image(self, i: int) -> int:
        self.db.execute("INSERT OR IGNORE INTO images(hash) VALUES (?)", (image_hash(i),))
        found = self.db.execute("SELECT id FROM images WHERE hash = ?", (image_hash(i),)).fetchone()
        return int(found[0])

    def point(self, i: int, score: float) -> None:
        self.db.execute("INSERT INTO points VALUES (?, ?)", (self.image(i), score))

    def pair(self, a: int, b: int, p: float, weight: float = 0.5) -> None:
        self.db.execute("INSERT INTO pairs VALUES (?, ?, ?, ?)", (self.image(a), self.image(b), p, weight))


def confidence(p: float) -> float:
    return 1 - float(sum(-x * np.log2(x) for x in (p, 1 - p) if x > 0))


def label_all(store: Store, quality: NDArray[np.float64], per_image: int, seed: int) -> None:
    """A good teacher: noisy scores, and Bradley-Terry preferences."""
    rng = np.random.default_rng(seed)
    store.db.execute("BEGIN")
    for i, q in enumerate(quality):
        store.point(i, float(np.clip(q + rng.normal(0, 0.3), 1, 5)))
    done: set[tuple[int, int]] = set()
    for i in range(len(quality)):
        for j in rng.choice(len(quality), per_image, replace=False).tolist():
            a, b = min(i, j), max(i, j)
            if a != b and (a, b) not in done:
                done.add((a, b))
                p = float(1 / (1 + np.exp(-2 * (quality[a] - quality[b]))))
                if confidence(p) >= 0.1:
                    store.pair(a, b, p, confidence(p))
    store.db.execute("COMMIT")


def write_rows(path: Path, rows: list[tuple[int, str, float | None]]) -> Path:
    lines = [f"{row},{split},{'' if target is None else target}\n" for row, split, target in rows]
    path.write_text("row,split,target\n" + "".join(lines))
    return path


def base_job(kind: str, folder: Path, crop: int = 32) -> dict[str, Any]:
    job: dict[str, Any] = {
        "v": 1,
        "kind": kind,
        "out": str(folder / kind),
        "resume": True,
        "seed": 0,
        "device": "cpu",
        "threads": 1,
        "student": {"model": "atto", "crop": crop, "views": 1, "backbone": None},
        "cache": str(folder / "cache"),
        "rows": str(folder / f"{kind}.csv"),
        "labels": None,
        "epochs": 4,
        "batch": 32,
        "lr": {"backbone": 1e-3, "head": 3e-3},
        "weightDecay": 0.02,
        "warmup": 0.1,
        "clip": 1,
        "ema": None,
        "amp": "auto",
        "keep": "best",
        "headOnly": False,
        "loss": {"mse": 1, "plcc": 1},
    }
    if kind == "distill":
        job["labels"] = str(folder / "labels.sqlite")
        job["loss"] = {"point": 1, "pair": 1, "temperature": 1, "huberDelta": 1}
    return job


def synthetic(
    folder: Path, n: int = 160, val: int = 40, crop: int = 32
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """A cache, a labelled store and both rows files of blurred textures: (distill job, truth)."""
    pictures, quality = blurred_textures(n, crop, seed=1)
    write_cache(folder / "cache", pictures, crop)
    store = Store(folder / "labels.sqlite")
    label_all(store, quality, 8, seed=2)
    store.db.close()
    splits = ["train"] * (n - val) + ["val"] * val
    write_rows(folder / "distill.csv", [(i, s, None) for i, s in enumerate(splits)])
    write_rows(folder / "calibrate.csv", [(i, s, float(quality[i])) for i, s in enumerate(splits)])
    return base_job("distill", folder, crop), quality


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def write_job(job: dict[str, Any]) -> Path:
    out = Path(job["out"])
    out.mkdir(parents=True, exist_ok=True)
    path = out / "job.json"
    path.write_text(json.dumps(job))
    return path


def start(job: dict[str, Any], processes: int = 1) -> "subprocess.Popen[str]":
    """Starts the trainer, under torchrun for more than one process."""
    launcher = [] if processes == 1 else ["torch.distributed.run", f"--nproc-per-node={processes}"]
    launcher += ["--standalone", "-m"] if processes > 1 else []
    arguments = [sys.executable, "-m", *launcher, "leaf", str(write_job(job))]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def train(job: dict[str, Any], processes: int = 1) -> tuple[int, list[dict[str, Any]], str]:
    """Runs the trainer to its end: (exit code, messages, stderr)."""
    process = start(job, processes)
    out, err = process.communicate(timeout=300)
    return process.returncode, [checked(line) for line in out.splitlines()], err


def of_type(messages: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [m for m in messages if m["type"] == kind]


def train_here(job: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """Runs the trainer inside this process, without the seconds that its imports take."""
    from leaf.entry import main

    told = Path(job["out"]) / "told.jsonl"
    path = write_job(job)
    fd = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        code = main([str(path)], fd)
    finally:
        os.close(fd)
    return code, [checked(line) for line in told.read_text().splitlines()]
