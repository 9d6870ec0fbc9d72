"""A GPU that is there and that PyTorch does not see: why, and what to do."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GpuFacts:
    driver: str | None
    """Version of NVIDIA's driver, "" where it is there and does not tell; None without one."""
    node: bool
    """The device itself can be opened from here."""
    amd: bool
    """An AMD GPU with its compute driver."""
    built_for: str | None
    """CUDA or ROCm version that PyTorch was built for; None: for the CPU alone."""
    visible: str | None
    """CUDA_VISIBLE_DEVICES."""


def why_unseen(facts: GpuFacts) -> tuple[str, str] | None:
    """The reason and the remedy; None where there is no GPU to be seen."""
    if facts.driver is None:
        if not facts.amd or facts.built_for is not None:
            return None
        return (
            "An AMD GPU is here, and this PyTorch was not built for it (ROCm)",
            "Set `python.interpreter` to a Python with PyTorch's ROCm build.",
        )
    named = f"A GPU with NVIDIA's driver{f' {facts.driver}' if facts.driver else ''} is here"
    if facts.built_for is None:
        return (
            f"{named}, and this PyTorch was built for the CPU alone",
            "Set `python.interpreter` to a Python with PyTorch's CUDA build (https://pytorch.org/get-started).",
        )
    if facts.visible is not None and facts.visible.strip() in ("", "-1"):
        return f"{named}, and CUDA_VISIBLE_DEVICES hides it", "Unset CUDA_VISIBLE_DEVICES."
    if not facts.node:
        return (
            f"{named}, and it cannot be opened from here",
            "Start the container with its GPUs (`docker run --gpus all`), or ask for one in the queue.",
        )
    return (
        f"{named}, and this PyTorch (CUDA {facts.built_for}) cannot use it",
        "Update the driver, or set `python.interpreter` to a PyTorch for an older CUDA.",
    )


def gpu_facts() -> GpuFacts:
    """Of this machine."""
    import torch

    version: object = torch.version.cuda or getattr(torch.version, "hip", None)
    return GpuFacts(
        driver=_driver(),
        node=os.name == "nt" or any(Path(name).exists() for name in ("/dev/nvidia0", "/dev/dxg")),
        amd=Path("/dev/kfd").exists(),
        built_for=None if version is None else str(version),
        visible=os.environ.get("CUDA_VISIBLE_DEVICES"),
    )


def _driver() -> str | None:
    try:
        told = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8", errors="replace")
    except OSError:
        # On Windows, and under WSL, whose kernel has no such file.
        return "" if shutil.which("nvidia-smi") else None
    found = re.search(r"Kernel Module\D*?([\d.]+)", told)
    return found[1] if found else ""
