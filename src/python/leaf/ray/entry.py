"""Chooses what to do, and turns every failure into one `error` message and an exit code."""

import json
import os
import platform
import secrets
import traceback
from pathlib import Path
from typing import Any

from leaf.channel import Outbox
from leaf.contract.cluster import ClusterJob, Failure, ScoreJob
from leaf.errors import TrainerError, disk_error
from leaf.reader import decode, read

OK, FAILED = 0, 1


def main(arguments: list[str], fd: int) -> int:
    """Returns the exit code: 0 done, 1 error."""
    if arguments == ["--env"]:
        from leaf.ray.cluster import ray_version

        os.write(
            fd, (json.dumps({"python": platform.python_version(), "ray": ray_version()}) + "\n").encode()
        )
        return OK
    outbox = Outbox(fd)
    try:
        job: Any = read(
            decode(Path(arguments[0]).read_text(encoding="utf-8"), "JOB.json"), ClusterJob, "JOB.json"
        )
        if job.address is None:
            # Whoever is not this job is kept out of its cluster. Ray reads this when it is imported.
            os.environ["RAY_AUTH_MODE"] = "token"
            os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        if isinstance(job, ScoreJob):
            from leaf.ray.score import score

            score(job, outbox)
        else:
            from leaf.ray.label import label

            label(job, outbox)
        return OK
    except TrainerError as error:
        return _tell(outbox, error)
    except Exception as error:
        full = disk_error(error)
        if full:
            return _tell(outbox, full)
        traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        message = f"The work on the cluster failed ({type(error).__name__}): {text[:500]}"
        return _tell(outbox, TrainerError("failed", message, "Run the same command again: it goes on."))


def _tell(outbox: Outbox, error: TrainerError) -> int:
    outbox.send(Failure(v=1, code=error.code, message=error.message, remedy=error.remedy))
    return FAILED
