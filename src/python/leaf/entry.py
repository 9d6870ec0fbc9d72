"""Chooses what to do, and turns every failure into one `error` message and an exit code."""

import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from leaf.channel import Channel
from leaf.contract.trainer import ErrorCode, Failure
from leaf.environment import REQUIRED, missing_packages
from leaf.errors import TrainerError, disk_error, is_out_of_memory
from leaf.job import read_job
from leaf.launched import is_main

OK, FAILED = 0, 1


def main(arguments: list[str], fd: int) -> int:
    """Returns the exit code: 0 done, 1 error."""
    tells = is_main()
    channel = Channel(fd, silent=not tells)

    def work() -> None:
        if len(arguments) != 1:
            raise TrainerError("input", "Usage: python -m leaf JOB.json, or python -m leaf --env.")
        job = read_job(Path(arguments[0]))
        require(REQUIRED)
        from leaf.train import run

        run(job, channel)

    return guarded(channel, tells, work)


def require(packages: tuple[str, ...]) -> None:
    """Raises TrainerError("environment") where one of them cannot be imported."""
    missing = missing_packages(packages)
    if missing:
        raise TrainerError(
            "environment",
            f"This Python ({sys.executable}) lacks {', '.join(missing)}.",
            "Install the trainer's requirements: pip install -r requirements.txt.",
        )


def guarded(channel: Channel, tells: bool, work: Callable[[], None]) -> int:
    """Does the work; every failure becomes one `error` message. Returns the exit code."""
    try:
        work()
        return OK
    except TrainerError as error:
        # Every rank meets these alike; one report is enough.
        if tells or error.code not in ("input", "environment", "nan"):
            _tell(channel, error.code, error.message, error.remedy)
        return FAILED
    except MemoryError:
        return _out_of_memory(channel)
    except Exception as error:
        if is_out_of_memory(error):
            return _out_of_memory(channel)
        full = disk_error(error)
        if full:
            _tell(channel, full.code, full.message, full.remedy)
            return FAILED
        traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        message = f"Training failed ({type(error).__name__}): {text[:500]}"
        _tell(channel, "failed", message, "See the trainer's log for the traceback.")
        return FAILED


def _out_of_memory(channel: Channel) -> int:
    remedy = "Set microBatch, lower the batch size or the crop, or choose a smaller student."
    _tell(channel, "oom", "The training ran out of memory.", remedy)
    return FAILED


def _tell(channel: Channel, code: ErrorCode, message: str, remedy: str | None) -> None:
    channel.send(Failure(v=1, code=code, message=message, remedy=remedy))
