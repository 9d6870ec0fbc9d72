"""What this Python offers: versions and devices, or the packages it lacks."""

import importlib
import json
import os
import platform
from typing import TypedDict

REQUIRED = ("msgspec", "torch", "transformers", "numpy", "onnx", "onnxscript", "onnxruntime", "safetensors")


class Environment(TypedDict):
    python: str
    torch: str
    transformers: str
    cuda: bool
    device: str
    deviceName: str
    mps: bool
    unseen: tuple[str, str] | None
    """Why a GPU that is here cannot be used, and the remedy."""


OK, MISSING = 0, 3


def tell(fd: int) -> int:
    """Writes what this Python offers, or lacks, as a line of JSON; returns the exit code."""
    missing = missing_packages()
    found: dict[str, object] = {"missing": missing} if missing else {**describe()}
    os.write(fd, (json.dumps(found) + "\n").encode())
    return MISSING if missing else OK


def missing_packages(required: tuple[str, ...] = REQUIRED) -> list[str]:
    """Names of the required packages that cannot be imported; a broken install counts as missing."""
    missing = []
    for name in required:
        try:
            importlib.import_module(name)
        except (ImportError, OSError):  # OSError: a shared library of the package does not load
            missing.append(name)
    return missing


def describe() -> Environment:
    import torch
    import transformers

    cuda = torch.cuda.is_available()
    mps = torch.backends.mps.is_available()
    device = "cuda" if cuda else "mps" if mps else "cpu"
    from leaf.unseen_gpu import gpu_facts, why_unseen

    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "transformers": str(transformers.__version__),
        "cuda": cuda,
        "device": device,
        "deviceName": device_name(device),
        "mps": mps,
        "unseen": why_unseen(gpu_facts()) if device == "cpu" else None,
    }


def device_name(device: str) -> str:
    """A name people know: the GPU's, or the machine's processor architecture."""
    if device.startswith("cuda"):
        import torch

        return str(torch.cuda.get_device_name(device))
    return platform.processor() or platform.machine()
