"""The usual script that learns from preferences: `train_pairs.py FOLDER PAIRS`, of make_training.py.

A data set of pairs that opens both files, two passes a pair, a DataLoader with two workers. Prints seconds
for 1,000 labelled pairs, after a first step that does not count.
"""

import csv
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


class PairData(Dataset[Any]):
    def __init__(self, folder: Path, crop: int, most: int) -> None:
        self.folder, self.crop = folder / "images", crop
        self.points = {name: float(score) for name, score in csv.reader((folder / "points.csv").open())}
        pairs = list(csv.reader((folder / "pairs.csv").open()))
        random.Random(0).shuffle(pairs)
        self.pairs = pairs[:most]

    def __len__(self) -> int:
        return len(self.pairs)

    def image(self, name: str) -> Tensor:
        picture = Image.open(self.folder / f"{name}.jpg").convert("RGB")
        x = random.randint(0, picture.width - self.crop)
        y = random.randint(0, picture.height - self.crop)
        picture = picture.crop((x, y, x + self.crop, y + self.crop))
        if random.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(picture)).float() / 255
        return ((pixels - MEAN) / STD).permute(2, 0, 1)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        a, b, p, weight = self.pairs[index]
        labels = torch.tensor([float(p), float(weight), self.points[a], self.points[b]])
        return self.image(a), self.image(b), labels


class Scorer(nn.Module):
    def __init__(self, model: str) -> None:
        super().__init__()
        self.backbone: Any
        if model == "efficientnet-lite0":
            from efficientnet_lite_pytorch import EfficientNet

            self.backbone, width = EfficientNet.from_name("efficientnet-lite0"), 1280
        else:
            from transformers import ConvNextModel

            self.backbone = ConvNextModel.from_pretrained(model)
            width = self.backbone.config.hidden_sizes[-1]
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))
        # Frozen statistics, as LEAF's.
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self.backbone, "extract_features"):
            pooled = self.backbone.extract_features(x).mean(dim=(2, 3))
        else:
            pooled = self.backbone(x).pooler_output
        return 3 + self.head(pooled).squeeze(-1)


def main(folder: Path, most: int) -> None:
    job = json.loads((folder / "job.json").read_text())
    batch = job["batch"]
    data = PairData(folder, job["student"]["crop"], most + batch)
    model = Scorer(job["student"]["model"])
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=job["lr"]["backbone"], weight_decay=job["weightDecay"]
    )
    seen, began = 0, 0.0
    for a, b, labels in DataLoader(data, batch, shuffle=True, num_workers=2, drop_last=True):
        p, weight, point_a, point_b = labels.unbind(1)
        score_a, score_b = model(a), model(b)
        each = F.binary_cross_entropy_with_logits(score_a - score_b, p, reduction="none")
        loss = (weight * each).sum() / weight.sum()
        loss = loss + (F.huber_loss(score_a, point_a) + F.huber_loss(score_b, point_b)) / 2
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        if began == 0:
            began = time.perf_counter()
        else:
            seen += len(a)
    print(json.dumps({"trained": 1000 * (time.perf_counter() - began) / seen}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
