"""Class-activation mapping (Zhou et al., CVPR 2016) for a head that pools, normalises and projects."""

import torch
from torch import Tensor, nn

from leaf.students import MIDDLE, Student


def local_scores(student: Student, last: Tensor) -> Tensor:
    """What each position of the last feature map [N, D, h, w] says the score is: [N, h, w], on 1..5.

    The head is affine in the map but for the scales of its LayerNorms. With those held at what the pooled
    vector gives (their centring is linear and stays), the score is the spatial mean of these, exactly.
    Of several targets, the main one's.
    """
    last = last.float()
    normed = [norm for norm in (student.backbone.pooled_norm, student.norm) if norm is not None]
    # The weight of each feature and the constant, from the linear layer back through each LayerNorm.
    scales = _scales(normed, last.mean(dim=(2, 3)))
    weight: Tensor = student.linear.weight
    bias: Tensor = student.linear.bias
    if student.targets:
        weight, bias = weight[:1], bias[:1]
    weight = weight.float().expand(last.shape[0], -1)
    constant = MIDDLE + bias.float()
    for norm, scale in zip(reversed(normed), reversed(scales), strict=True):
        constant = constant + (weight * norm.bias).sum(dim=1)
        scaled = weight * norm.weight / scale
        weight = scaled - scaled.mean(dim=1, keepdim=True)
    return (last * weight[:, :, None, None]).sum(dim=1) + constant[:, None, None]


def _scales(norms: list[nn.LayerNorm], pooled: Tensor) -> list[Tensor]:
    """The standard deviation [N, 1] that each LayerNorm divides by."""
    scales = []
    for norm in norms:
        scales.append(torch.sqrt(pooled.var(dim=1, keepdim=True, unbiased=False) + norm.eps))
        pooled = norm(pooled)
    return scales
