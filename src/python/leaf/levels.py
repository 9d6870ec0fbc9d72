"""Multi-level features: means and standard deviations of maps at several depths, for a linear head.

The layout of `levels` [N, L] is that of the card: for each level its means over space, then its standard
deviations, unless it is the last level of a network that pools a map of its own (EfficientNet), which has
means alone. The standard deviation is the population's, sqrt(mean((x - m)^2) + EPS).

What a linear head w . levels + b adds up is a mean over space, level by level, so it has an exact heat map:
at each place of a level's map x the local quantity of the mean m is x itself, and that of the deviation s is
((x - m)^2 + EPS) / s, whose spatial means are m and s.
"""

import torch
from torch import Tensor

from leaf.contract.trainer import Level, Levels
from leaf.students import Student

EPS = 1e-6
# A picture on which the layout is found out; every family halves five times.
_PROBE = 64


def pooled(level: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation [N, C] over space of a map [N, C, h, w], in float32."""
    level = level.float()
    mean = level.mean(dim=(2, 3), keepdim=True)
    deviation = torch.sqrt((level - mean).square().mean(dim=(2, 3)) + EPS)
    return mean[:, :, 0, 0], deviation


@torch.no_grad()
def layout(student: Student) -> Levels:
    """Where what lies in `levels`."""
    device = next(student.parameters()).device
    _, _, _, maps = student.look_deep(torch.zeros(1, _PROBE, _PROBE, 3, dtype=torch.uint8, device=device))
    parts, at = [], 0
    for i, level in enumerate(maps):
        channels = level.shape[1]
        deviation = None if _means_alone(student, maps, i) else at + channels
        name = f"level_{i}"
        parts.append(
            Level(name=name, channels=channels, stride=_PROBE // level.shape[2], mean=at, sd=deviation)
        )
        at += channels if deviation is None else 2 * channels
    return Levels(dim=at, eps=EPS, parts=parts)


def flat(student: Student, maps: list[Tensor]) -> tuple[Tensor, list[tuple[Tensor, Tensor | None]]]:
    """`levels` [N, L] of a student's maps, and each level's mean and deviation."""
    pairs: list[tuple[Tensor, Tensor | None]] = []
    for i, level in enumerate(maps):
        mean, deviation = pooled(level)
        pairs.append((mean, None if _means_alone(student, maps, i) else deviation))
    return torch.cat([x for pair in pairs for x in pair if x is not None], dim=1), pairs


def _means_alone(student: Student, maps: list[Tensor], i: int) -> bool:
    # The pooled map of EfficientNet; ConvNeXt pools its last stage through a LayerNorm.
    return i + 1 == len(maps) and student.backbone.pooled_norm is None
