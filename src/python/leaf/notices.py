"""What is worth knowing before a training begins: a GPU that is not used, and hours to come."""

import time

import torch

from leaf.contract.trainer import Notice
from leaf.device import wait_for
from leaf.errors import is_out_of_memory
from leaf.passes import in_precision
from leaf.session import Session, Standing
from leaf.unseen_gpu import gpu_facts, why_unseen

LONG_S = 3600.0
TRIED = 2
"""Images of the trial pass."""
BACKWARD = 2.0
"""A backward pass takes about twice as long as the forward."""
SMALL = 10_000_000
"""Parameters up to which no smaller student is offered."""
SMALL_ON_GPU = 40_000_000


def gpu_notice(device: str) -> Notice | None:
    if device != "cpu" or (why := why_unseen(gpu_facts())) is None:
        return None
    return Notice(v=1, message=f"{why[0]}: the training runs on the CPU.", remedy=why[1])


def seconds_ahead(session: Session, standing: Standing) -> float | None:
    """Of the training, by a trial pass; None where not even that fits the memory."""
    images = len(session.data.train) * (session.job.epochs - standing.epoch)
    try:
        return images * _seconds_per_image(session) / session.world.size
    except Exception as error:
        # Training halves its batches then.
        if not is_out_of_memory(error):
            raise
        return None


def time_notice(session: Session, seconds: float | None) -> Notice | None:
    """None under an hour."""
    parameters = sum(p.numel() for p in session.student.parameters())
    return None if seconds is None else long_notice(seconds, parameters, session.world.device.type)


def long_notice(seconds: float, parameters: int, device: str = "cpu") -> Notice | None:
    if seconds < LONG_S:
        return None
    hours = f"will take about {seconds / 3600:.0f} hours"
    small = parameters <= (SMALL if device == "cpu" else SMALL_ON_GPU)
    if device != "cpu":
        return Notice(
            v=1,
            message=f"On this GPU the training {hours}.",
            remedy="Take fewer `epochs`, a smaller `student.input.crop`, or more GPUs (`distill.processes`)."
            if small
            else "A smaller student takes less: `student.model: facebook/convnext-tiny-224` has under a "
            "third of ConvNeXt-Base's operations.",
        )
    return Notice(
        v=1,
        message=f"On this CPU the training {hours}.",
        remedy="Use a GPU, fewer `epochs`, or a smaller `student.input.crop`."
        if small
        else "Use a GPU, or a smaller student: `student.model: efficientnet-lite0` is made for CPUs.",
    )


@torch.no_grad()
def _seconds_per_image(session: Session) -> float:
    """Of a training step, from the quicker of two forward passes: the first also sets things up."""
    crop, device = session.job.student.crop, session.world.device
    # A GPU is as quick with a batch as with an image.
    tried = TRIED if device.type == "cpu" else max(1, session.job.batch // session.world.size)
    pixels = torch.zeros((tried, crop, crop, 3), dtype=torch.uint8, device=device)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        with in_precision(session.passes):
            session.student(pixels)
        wait_for(device)
        times.append(time.perf_counter() - started)
    return min(times) * (1 + BACKWARD) / tried
