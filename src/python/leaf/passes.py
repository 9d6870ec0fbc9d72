"""Forward and backward of a batch: in the device's precision, and in parts where memory is short."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from leaf.distributed import World
from leaf.errors import is_out_of_memory
from leaf.job import Job
from leaf.precision import Precision, device_facts, precision_of

T = TypeVar("T")
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass
class Passes:
    world: World
    precision: Precision
    scaler: torch.amp.GradScaler
    """Does nothing but in fp16, whose gradients would underflow."""
    most: int | None = None
    """Images in a part; None: the whole batch. It falls when memory runs out."""


def told_precision(passes: Passes) -> Literal["bf16", "fp16", "off"]:
    return "off" if passes.precision == "fp32" else passes.precision


def in_precision(passes: Passes) -> AbstractContextManager[Any]:
    """A forward pass in it computes as the device does best."""
    kind, precision = passes.world.device.type, passes.precision
    return torch.autocast(kind, dtype=DTYPES[precision], enabled=precision != "fp32")


def passes_of(job: Job, world: World) -> Passes:
    precision: Precision = "fp32"
    if job.amp == "auto":
        precision = precision_of(job.precision, device_facts(str(world.device)))
    scaler = torch.amp.GradScaler(world.device.type, enabled=precision == "fp16")
    return Passes(world, precision, scaler, job.micro_batch)


def gradients(
    passes: Passes, model: nn.Module, pixels: Tensor, loss_of: Callable[[Tensor], tuple[Tensor, T]]
) -> tuple[Tensor, T]:
    """Leaves the (scaled) gradient of a loss in the model's parameters; the loss, and what is told of it.

    `loss_of` makes them of this rank's scores, all of them: pairs and correlations reach over the batch. So a
    batch in parts is run twice, first for its scores alone, then part by part with the loss's gradient by
    these: the same gradient, in less memory and a third more time (GradCache: Gao et al., arXiv 2101.06983).
    When memory runs out the part is halved; not under torchrun, where the other ranks would wait for ever.
    """
    while True:
        size = passes.most or len(pixels)
        try:
            model.zero_grad(set_to_none=True)
            return _gradients(passes, model, torch.split(pixels, size), loss_of)
        except Exception as error:
            if passes.world.size > 1 or min(size, len(pixels)) == 1 or not is_out_of_memory(error):
                raise
        # Out of the handler, which holds on to the tensors of the failed pass.
        passes.most = min(size, len(pixels)) // 2
        print(f"Out of memory: batches go through in parts of {passes.most} images.", file=sys.stderr)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _gradients(
    passes: Passes,
    model: nn.Module,
    parts: tuple[Tensor, ...],
    loss_of: Callable[[Tensor], tuple[Tensor, T]],
) -> tuple[Tensor, T]:
    device, ranks = passes.world.device, passes.world.size

    def run(part: Tensor) -> Tensor:
        with in_precision(passes):
            scores: Tensor = model(part.to(device, non_blocking=True))[0]
        return scores

    if len(parts) == 1:
        mine = run(parts[0])
    else:
        with torch.no_grad():
            mine = torch.cat([run(part) for part in parts])
        mine.requires_grad_()
    loss, told = loss_of(mine)
    # DistributedDataParallel takes the mean over ranks, and each rank holds only its part of the gradient.
    torch.autograd.backward(passes.scaler.scale((loss + 0 * mine.sum()) * ranks))
    if len(parts) > 1:
        assert mine.grad is not None
        for i, gradient in enumerate(torch.split(mine.grad, len(parts[0]))):
            # Ranks may have different numbers of parts: they exchange gradients at the last one alone.
            early = i + 1 < len(parts)
            with model.no_sync() if early and isinstance(model, DistributedDataParallel) else nullcontext():
                torch.autograd.backward(run(parts[i]), gradient)
    return loss, told
