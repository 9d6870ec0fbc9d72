"""In which numbers a device computes: a choice by its facts alone, the same for trainer and teacher."""

from dataclasses import dataclass
from typing import Literal

Precision = Literal["bf16", "fp16", "fp32"]
Wanted = Literal["auto", "bf16", "fp16", "fp32"]
TENSOR_CORES = (7, 0)
"""Compute capability from which 16-bit matrix products are faster than 32-bit ones (Volta)."""


@dataclass(frozen=True)
class DeviceFacts:
    kind: str
    """cuda, mps or cpu."""
    capability: tuple[int, int] = (0, 0)
    """CUDA's compute capability: T4 and RTX 20 are (7, 5), V100 (7, 0), A100 (8, 0)."""
    bf16: bool = False
    """It computes in bfloat16 itself: before Ampere PyTorch emulates that, more slowly than float32."""


def device_facts(device: str) -> DeviceFacts:
    """`device`: cuda, cuda:1, mps or cpu."""
    if not device.startswith("cuda"):
        return DeviceFacts(device)
    import torch

    major, minor = torch.cuda.get_device_capability(device)
    return DeviceFacts("cuda", (major, minor), torch.cuda.is_bf16_supported(including_emulation=False))


def precision_of(wanted: Wanted, facts: DeviceFacts) -> Precision:
    """Of the passes of a training; losses, heads and weights stay float32. Beside CUDA all is float32."""
    if facts.kind != "cuda":
        return "fp32"
    if wanted != "auto":
        return wanted
    if facts.bf16:
        return "bf16"
    return "fp16" if facts.capability >= TENSOR_CORES else "fp32"
