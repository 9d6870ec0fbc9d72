"""Where a finished student's training images lie in its feature space."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from leaf.cache import eval_windows
from leaf.contract.trainer import DomainFacts
from leaf.domain import Domain, choose, fit_domain
from leaf.loader import prefetch, stack
from leaf.rows import read_rows
from leaf.session import Session
from leaf.students import Student


def measure_domain(session: Session, student: Student) -> tuple[Domain, DomainFacts] | None:
    """The distance of features from those of the images it was distilled on; None with too few.

    Calibration sees few images but changes the features, so `job.domain` names the rows of all.
    """
    job = session.job
    if job.domain is None:
        train, val = session.data.train, session.data.val
    else:
        train, val = read_rows(Path(job.domain), session.cache, job.student.crop)
    sample = choose(train.rows, val.rows, job.seed)
    if sample is None:
        return None
    student.to(session.world.device)
    # The centre is enough to fit on; the threshold is of what scoring sees.
    fit = _features(session, student, sample.fit, 1)
    return fit_domain(fit, _features(session, student, sample.held_out, job.student.views))


@torch.no_grad()
def _features(session: Session, student: Student, rows: NDArray[np.int64], views: int) -> NDArray[np.float32]:
    """[rows, views, D], as evaluation sees the pictures."""
    job, device = session.job, session.world.device
    parts = [rows[i : i + job.batch] for i in range(0, len(rows), job.batch)]

    def make(part: NDArray[np.int64]) -> torch.Tensor:
        pictures = [session.cache.picture(int(row)) for row in part]
        return stack([w for p in pictures for w in eval_windows(p, job.student.crop, views)], device)

    found: list[NDArray[np.float32]] = []
    done = 0
    for part, pixels in prefetch(parts, make, job.workers):
        features = student(pixels.to(device, non_blocking=True))[1].cpu().numpy()
        found.append(features.reshape(len(part), views, -1))
        done += len(part)
        session.channel.progress("export", job.epochs, job.epochs, done, len(rows))
    return np.concatenate(found)
