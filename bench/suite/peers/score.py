"""Scores images with PyTorch and Pillow, as one would by hand.

python score.py NETWORK IMAGE...   a DataLoader of two workers, batches of 16
python score.py NETWORK -          a path a line in, a score a line out
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

RESIZE, CROP = 384, 224


def load(path: str) -> Tensor:
    """The central crop, uint8 [CROP, CROP, 3], of a picture whose short side is RESIZE."""
    image = Image.open(path).convert("RGB")
    scale = RESIZE / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    left, top = (width - CROP) // 2, (height - CROP) // 2
    return torch.from_numpy(np.array(image.crop((left, top, left + CROP, top + CROP))))


class Images(Dataset[Tensor]):
    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        return load(self.paths[index])


@torch.inference_mode()
def main(network: str, images: list[str]) -> None:
    model = torch.load(Path(network), weights_only=False).eval()
    if images == ["-"]:
        for line in sys.stdin:
            print(float(model(load(line.strip())[None])[0]), flush=True)
        return
    for batch in DataLoader(Images(images), batch_size=16, num_workers=min(2, os.cpu_count() or 1)):
        print(*model(batch)[0].tolist(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
