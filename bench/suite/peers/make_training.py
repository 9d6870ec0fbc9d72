"""A distillation on blurred textures: `make_training.py lite0|tiny|atto FOLDER CROP IMAGES`.

FOLDER/job.json is the trainer's job, with its tensor cache and labels; images/, points.csv and pairs.csv are
the same pictures and labels for others.
"""

import csv
import json
import sys
from pathlib import Path

import torch
from leaf.cache import TensorCache
from leaf.labels import read_pairs, read_points
from PIL import Image
from world import Store, base_job, blurred_textures, label_all, write_cache, write_rows

BATCH, EPOCHS = 32, 2
CHOSEN = 4
"""Each image chooses so many others: with those that chose it, it has the 8 partners of `pairsPerImage`."""
PADDING = 16
"""Pixels that a picture has beyond the crop, which takes a place of it."""


def model_of(name: str, folder: Path) -> str:
    """A name that LEAF knows, or a folder with random weights."""
    if name != "tiny":
        return "efficientnet-lite0" if name == "lite0" else name
    from transformers import ConvNextConfig, ConvNextModel

    torch.manual_seed(0)
    config = ConvNextConfig(hidden_sizes=[96, 192, 384, 768], depths=[3, 3, 9, 3])
    ConvNextModel(config).save_pretrained(folder / "network")
    return str(folder / "network")


def main(name: str, folder: Path, crop: int, images: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pictures, quality = blurred_textures(images, crop + PADDING, seed=1)
    write_cache(folder / "cache", pictures, crop)
    store = Store(folder / "labels.sqlite")
    label_all(store, quality, CHOSEN, seed=2)
    store.db.close()
    job = base_job("distill", folder, crop)
    write_rows(folder / "distill.csv", [(i, "train", None) for i in range(images)])
    student = {"model": model_of(name, folder), "crop": crop, "views": 1, "backbone": None}
    rates = {"backbone": 1e-4, "head": 3e-4}
    job |= {
        "student": student,
        "batch": BATCH,
        "epochs": EPOCHS,
        "lr": rates,
        "keep": "last",
        "threads": None,
    }
    (folder / "job.json").write_text(json.dumps(job))
    cache = TensorCache(folder / "cache")
    (folder / "images").mkdir()
    for row, one in enumerate(cache.hashes):
        Image.fromarray(cache.picture(row)).save(folder / "images" / f"{one}.jpg", quality=92)
    labels = folder / "labels.sqlite"
    with (folder / "points.csv").open("w", newline="") as file:
        csv.writer(file).writerows(zip(cache.hashes, read_points(labels, cache.hashes).tolist(), strict=True))
    pairs = read_pairs(labels, cache.hashes)
    with (folder / "pairs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            (cache.hashes[a], cache.hashes[b], p, w)
            for a, b, p, w in zip(pairs.a, pairs.b, pairs.p.tolist(), pairs.weight.tolist(), strict=True)
        )
    print(json.dumps({"pairs": len(pairs)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
