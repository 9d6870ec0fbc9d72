"""JOB.json of the closed form: read strictly."""

from pathlib import Path

from leaf.contract.head import HeadJob
from leaf.errors import TrainerError
from leaf.reader import decode, read

SUBJECT = "JOB.json"


def read_head_job(path: Path) -> HeadJob:
    """Reads and checks a job file; raises TrainerError("input") with one sentence."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({type(error).__name__}).") from error
    job: HeadJob = read(decode(text, path.name), HeadJob, SUBJECT)
    return job
