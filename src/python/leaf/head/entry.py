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


def main(arguments: list[str], fd: int) -> int:
    """Returns the exit code: 0 done, 1 error."""
    channel = Channel(fd)

    def work() -> None:
        if len(arguments) != 1:
            raise TrainerError("input", "Usage: python -m leaf.head JOB.json.")
        job = read_head_job(Path(arguments[0]))
        if job.threads is not None:
            for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
                os.environ[name] = str(job.threads)
        require(NEEDED if isinstance(job, FitJob) else REQUIRED)
        from leaf.head.job import run

        run(job, channel)

    return guarded(channel, 0, work)
