"""Reads the job before numpy starts its threads."""

import os
from pathlib import Path

from leaf.channel import Channel
from leaf.contract.head import FitJob
from leaf.entry import guarded, require
from leaf.environment import REQUIRED
from leaf.errors import TrainerError
from leaf.head.read import read_head_job

NEEDED = ("msgspec", "numpy", "onnx")

MANY = 1500
"""Rows from which a fit takes so long that several threads pay."""


def threads_of(job: FitJob) -> int | None:
    """Of the products of a fit; None: all cores.

    Matrices of some hundred rows are done before threads have met. Beside other programs two took 8.7 s
    for 500 ratings and one 2.7 s: they spin while they wait.
    """
    if job.threads is not None:
        return job.threads
    try:
        rows = Path(job.rows).read_bytes().count(b"\n")
    except OSError:
        return 1
    return 1 if rows <= MANY else None


def main(arguments: list[str], fd: int) -> int:
    """Returns the exit code: 0 done, 1 error."""
    channel = Channel(fd)

    def work() -> None:
        if len(arguments) != 1:
            raise TrainerError("input", "Usage: python -m leaf.head JOB.json.")
        job = read_head_job(Path(arguments[0]))
        threads = job.threads if not isinstance(job, FitJob) else threads_of(job)
        if threads is not None:
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
                os.environ[name] = str(threads)
        require(NEEDED if isinstance(job, FitJob) else REQUIRED)
        from leaf.head.job import run

        run(job, channel)

    return guarded(channel, True, work)
