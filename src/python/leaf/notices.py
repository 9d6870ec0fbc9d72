"""What is worth knowing before a training begins: a GPU that is not used, and hours on a CPU."""

import time

import torch

from leaf.contract.trainer import Notice
from leaf.session import Session, Standing
from leaf.unseen_gpu import gpu_facts, why_unseen

LONG_S = 3600.0
TRIED = 2
"""Images of the trial pass."""
BACKWARD = 2.0
"""A backward pass takes about twice as long as the forward."""
SMALL = 10_000_000
"""Parameters below which no smaller student is offered."""


def gpu_notice(device: str) -> Notice | None:
    if device != "cpu" or (why := why_unseen(gpu_facts())) is None:
        return None
    return Notice(v=1, message=f"{why[0]}: the training runs on the CPU.", remedy=why[1])


def time_notice(session: Session, standing: Standing) -> Notice | None:
    """By a trial pass; None on a GPU, and under an hour."""
    job = session.job
    if session.world.device.type != "cpu":
        return None
    images = len(session.data.train) * (job.epochs - standing.epoch)
    parameters = sum(p.numel() for p in session.student.parameters())
    return long_notice(images * _seconds_per_image(session), parameters)


def long_notice(seconds: float, parameters: int) -> Notice | None:
    if seconds < LONG_S:
        return None
    return Notice(
        v=1,
        message=f"On this CPU the training will take about {seconds / 3600:.0f} hours.",
        remedy="Use a GPU, or a smaller student: `student.model: efficientnet-lite0` is made for CPUs."
        if parameters > SMALL
        else "Use a GPU, fewer `epochs`, or a smaller `student.input.crop`.",
    )


@torch.no_grad()
def _seconds_per_image(session: Session) -> float:
    """Of a training step, from the quicker of two forward passes: the first also sets things up."""
    crop = session.job.student.crop
    pixels = torch.zeros((TRIED, crop, crop, 3), dtype=torch.uint8)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        session.student(pixels)
        times.append(time.perf_counter() - started)
    return min(times) * (1 + BACKWARD) / TRIED
