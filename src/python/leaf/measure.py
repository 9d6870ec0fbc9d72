"""Where a finished student's training images lie in its feature space."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from leaf.cache import Views, eval_batches, eval_windows
from leaf.contract.trainer import DomainFacts
from leaf.loader import prefetch, stack
from leaf.out_of_distribution import Domain, choose, fit_domain
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
    views = job.student.views
    fit = _features(session, student, sample.fit, "whole" if views == "whole" else 1)
    return fit_domain(fit, _features(session, student, sample.held_out, views))


@torch.no_grad()
def _features(
    session: Session, student: Student, rows: NDArray[np.int64], views: Views
) -> NDArray[np.float32]:
    """[rows, views, D], as evaluation sees the pictures."""
    job, device = session.job, session.world.device
    crop = job.student.crop
    parts = eval_batches(session.cache, rows, crop, views, job.batch)

    def make(part: NDArray[np.int64]) -> torch.Tensor:
        pictures = [session.cache.picture(int(row)) for row in rows[part]]
        return stack([w for p in pictures for w in eval_windows(p, crop, views)], device)

    found: NDArray[np.float32] | None = None
    done = 0
    for part, pixels in prefetch(parts, make, job.workers):
        features = student(pixels.to(device, non_blocking=True))[1].cpu().numpy()
        if found is None:
            found = np.empty((len(rows), len(features) // len(part), features.shape[1]), dtype=np.float32)
        found[part] = features.reshape(len(part), *found.shape[1:])
        done += len(part)
        session.channel.progress("export", job.epochs, job.epochs, done, len(rows))
    assert found is not None
    return found
