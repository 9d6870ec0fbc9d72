"""Optimiser, learning rate and the running mean of weights."""

import math

import torch
from torch import Tensor, nn

from leaf.job import Job
from leaf.students import Student


def optimiser(student: Student, job: Job) -> torch.optim.AdamW:
    """AdamW with a rate of its own for the head; no decay on biases and norms; headOnly freezes the rest.

    A layer n below the backbone's last one has the backbone's rate times layerDecay^n (Clark et al., ELECTRA,
    ICLR 2020; ConvNeXt is fine-tuned so).
    """
    layers = student.backbone.layers()
    below = {id(p): len(layers) - 1 - i for i, layer in enumerate(layers) for p in layer}
    head = {id(p) for p in student.head_parameters()}
    groups: dict[tuple[float, bool, bool], list[nn.Parameter]] = {}
    for parameter in student.parameters():
        is_head = id(parameter) in head
        if job.head_only and not is_head:
            parameter.requires_grad_(False)
            continue
        share = 1.0 if is_head else job.layer_decay ** below[id(parameter)]
        groups.setdefault((share, is_head, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": 0.0,
                "peak": job.lr.head if is_head else job.lr.backbone * share,
                "weight_decay": job.weight_decay if decays else 0.0,
            }
            for (share, is_head, decays), parameters in groups.items()
        ],
        # One kernel for all parameters on CUDA; a CPU keeps to what its results were made with.
        fused=student.linear.weight.is_cuda or None,
    )


def rate(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at a step from 0: a linear warm-up, then half a cosine down to 0."""
    rise = round(warmup * steps)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def set_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share


def told_rate(optimizer: torch.optim.Optimizer, job: Job) -> float:
    """What curves show: the rate of the backbone's last layer, or of the head where nothing else learns."""
    peak = job.lr.head if job.head_only else job.lr.backbone
    group = optimizer.param_groups[0]
    return float(peak * group["lr"] / group["peak"]) if group["peak"] else 0.0


class Ema:
    """Exponential mean of the trained weights; early steps count more, so that the random start fades."""

    def __init__(self, student: Student, decay: float) -> None:
        self._decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in student.state_dict().items()}

    @torch.no_grad()
    def update(self, student: Student, step: int) -> None:
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, tensor in student.state_dict().items():
            if tensor.is_floating_point():
                self.weights[name].lerp_(tensor, 1 - decay)
            else:
                self.weights[name].copy_(tensor)

    def load(self, weights: dict[str, Tensor]) -> None:
        for name, tensor in weights.items():
            self.weights[name].copy_(tensor)
