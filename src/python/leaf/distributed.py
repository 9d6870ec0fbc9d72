"""One process or several under torchrun: how a global batch and its scores are shared."""

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from leaf.launched import is_main


@dataclass(frozen=True)
class World:
    rank: int
    size: int
    device: torch.device
    # The one process that tells and writes.
    main: bool = True


def join(device: str) -> World:
    """Joins the process group that torchrun describes in the environment: NCCL on CUDA, else Gloo."""
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if device == "cuda" and size > 1:
        chosen = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(chosen)
    else:
        chosen = torch.device(device)
    if size > 1:
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
    return World(rank, size, chosen, is_main())


def same_everywhere(number: int, world: World) -> bool:
    """Whether all ranks have this number."""
    if world.size == 1:
        return True
    ends = torch.tensor([number, -number], device=world.device)
    dist.all_reduce(ends, dist.ReduceOp.MAX)
    return int(ends[0]) == -int(ends[1])


def share(n: int, world: World) -> tuple[int, int]:
    """This rank's part [start, end) of n items; parts differ by one at most and may be empty."""
    return n * world.rank // world.size, n * (world.rank + 1) // world.size


def whole(part: Tensor, start: int, n: int, world: World) -> Tensor:
    """The scores of all n images of the global batch, differentiable in this rank's part only.

    [n], or [n, T] of several targets. Each rank then holds the same loss, and the sum over ranks of its
    gradients is that of one process.
    """
    if world.size == 1:
        return part
    full = torch.zeros((n, *part.shape[1:]), dtype=part.dtype, device=part.device)
    full[start : start + len(part)] = part.detach()
    dist.all_reduce(full)
    return torch.cat([full[:start], part, full[start + len(part) :]])


def leave(world: World) -> None:
    if world.size > 1:
        dist.destroy_process_group()
