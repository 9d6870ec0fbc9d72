"""JOB.json: what to train. Strict: an unknown key or a wrong value is one sentence naming the key."""

from pathlib import Path

from msgspec import UNSET

from leaf.contract.trainer import CalibrateJob, DistillJob, DistillLoss, TrainerJob
from leaf.errors import TrainerError
from leaf.reader import decode, read, wrong

SUBJECT = "JOB.json"
Job = DistillJob | CalibrateJob


def read_job(path: Path) -> Job:
    """Reads and checks a job file; raises TrainerError("input") with one sentence."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({type(error).__name__}).") from error
    return parse_job(decode(text, path.name))


def parse_job(value: object) -> Job:
    """Checks a decoded job; raises TrainerError("input") naming the first wrong key."""
    job: Job = read(value, TrainerJob, SUBJECT)
    loss = job.loss
    weights = (loss.point, loss.pair) if isinstance(loss, DistillLoss) else (loss.mse, loss.plcc)
    if not any(weights):
        raise wrong(SUBJECT, "loss", "must have at least one weight above 0")
    return job


def targets_of(job: Job) -> list[str]:
    """Names of the targets beside the main one."""
    if job.targets is UNSET:
        return []
    return job.targets if isinstance(job, CalibrateJob) else [target.name for target in job.targets]
