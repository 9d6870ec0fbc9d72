"""Chooses what to do, and turns every failure into one `error` message and an exit code."""

import json
import os
import sys
import traceback
from pathlib import Path

from leaf.channel import Channel
from leaf.environment import describe, missing_packages
from leaf.errors import TrainerError, disk_error, is_out_of_memory
from leaf.job import read_job

OK, FAILED, MISSING = 0, 1, 3


def main(arguments: list[str], fd: int) -> int:
    """Returns the exit code: 0 done, 1 error, 3 packages missing (`--env` only)."""
    rank = int(os.environ.get("RANK", "0"))
    channel = Channel(fd, silent=rank != 0)
    if arguments == ["--env"]:
        missing = missing_packages()
        found: dict[str, object] = {"missing": missing} if missing else {**describe()}
        os.write(fd, (json.dumps(found) + "\n").encode())
        return MISSING if missing else OK
    try:
        if len(arguments) != 1:
            raise TrainerError("input", "Usage: python -m leaf JOB.json, or python -m leaf --env.")
        job = read_job(Path(arguments[0]))
        missing = missing_packages()
        if missing:
            raise TrainerError(
                "environment",
                f"This Python ({sys.executable}) lacks {', '.join(missing)}.",
                "Install the trainer's requirements: pip install -r requirements.txt.",
            )
        from leaf.train import run

        run(job, channel)
        return OK
    except TrainerError as error:
        # Every rank meets these alike; one report is enough.
        if rank == 0 or error.code not in ("input", "environment", "nan"):
            channel.send(
                {"type": "error", "code": error.code, "message": error.message, "remedy": error.remedy}
            )
        return FAILED
    except MemoryError:
        return _out_of_memory(channel)
    except Exception as error:
        if is_out_of_memory(error):
            return _out_of_memory(channel)
        full = disk_error(error)
        if full:
            channel.send({"type": "error", "code": full.code, "message": full.message, "remedy": full.remedy})
            return FAILED
        traceback.print_exc()
        text = " ".join(str(error).split()) or type(error).__name__
        channel.send(
            {
                "type": "error",
                "code": "failed",
                "message": f"Training failed ({type(error).__name__}): {text[:500]}",
                "remedy": "See the trainer's log for the traceback.",
            }
        )
        return FAILED


def _out_of_memory(channel: Channel) -> int:
    channel.send(
        {
            "type": "error",
            "code": "oom",
            "message": "The training ran out of memory.",
            "remedy": "Lower the batch size, the crop, or choose a smaller student.",
        }
    )
    return FAILED
