"""The device of a training: which, and how it is set up before anything runs on it."""

import os

import torch

from leaf.errors import TrainerError


def device_of(wanted: str) -> str:
    """cuda, mps or cpu. Raises TrainerError("environment") where the one that is wanted is not there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise TrainerError(
            "environment", f"This PyTorch sees no {wanted} device.", "Set device to auto or cpu."
        )
    return wanted


def set_up(device: str) -> None:
    """Deterministic algorithms; on CUDA also what makes float32 quick.

    On a CPU the same job gives the same bits. On CUDA cuBLAS needs a workspace of its own to be deterministic
    (read when it starts), and operations without a deterministic algorithm only warn: runs are alike there,
    and not promised to be bit-equal.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    if device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # TF32 for validation and features, which run without autocast.
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True


def workers_for(device: str, cores: int) -> int:
    """Threads that cut pixels. On a CPU one: the others are the training's own."""
    return max(1, min(8, cores // 2)) if device == "cuda" else 1


def wait_for(device: torch.device) -> None:
    """Until all that was asked of it is done: before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
