"""Scores of cached pictures as evaluation sees them, and the closed-form start of calibration."""

from collections.abc import Callable

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from leaf.cache import TensorCache, eval_batches, eval_windows
from leaf.distributed import World, share
from leaf.job import Job
from leaf.loader import prefetch, stack
from leaf.students import MIDDLE, Student

MIN_FOR_AFFINE = 5


@torch.no_grad()
def predict(
    student: Student,
    cache: TensorCache,
    rows: NDArray[np.int64],
    job: Job,
    world: World,
    told: Callable[[int], None] = lambda _: None,
) -> NDArray[np.float32]:
    """The score of each row: the mean over the views of the job. `told` hears how many images are done.

    [n], of several targets [n, T].
    """
    crop, views = job.student.crop, job.student.views
    start, end = share(len(rows), world)
    parts = [start + part for part in eval_batches(cache, rows[start:end], crop, views, job.batch)]

    def make(part: NDArray[np.int64]) -> torch.Tensor:
        windows = [w for row in rows[part] for w in eval_windows(cache.picture(int(row)), crop, views)]
        return stack(windows, world.device)

    several = (1 + len(student.targets),) if student.targets else ()
    scores = torch.zeros((len(rows), *several), dtype=torch.float32, device=world.device)
    done = start
    for part, pixels in prefetch(parts, make, job.workers):
        found, _ = student(pixels.to(world.device, non_blocking=True))
        scores[torch.from_numpy(part).to(world.device)] = found.view(len(part), -1, *several).mean(1)
        done += len(part)
        told(done)
    if world.size > 1:
        dist.all_reduce(scores)
    result: NDArray[np.float32] = scores.cpu().numpy()
    return result


@torch.no_grad()
def fit_scale(
    student: Student,
    predicted: NDArray[np.float32],
    truth: NDArray[np.float32],
    target: int = 0,
    *,
    taught: bool = True,
) -> bool:
    """Sets the last layer so that scores become a + b x score, the least-squares fit to the truth.

    Of the head of `target`, whose scores [n] and truth [n] these are.

    A distilled student has the teacher's mean and spread; this gives it the humans' before any step.
    Does nothing and returns False with fewer than 5 images, or where the slope is 0, or below in a head that
    was taught.
    """
    x, y = predicted.astype(np.float64), truth.astype(np.float64)
    if len(x) < MIN_FOR_AFFINE or float(x.std()) < 1e-6:
        return False
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean())) / float(centred @ centred)
    if not np.isfinite(slope) or slope == 0 or (taught and slope < 0):
        return False
    weight, bias = student.linear.weight[target], student.linear.bias[target]
    weight.mul_(slope)
    bias.copy_(slope * bias + slope * MIDDLE + float(y.mean()) - slope * float(x.mean()) - MIDDLE)
    return True
