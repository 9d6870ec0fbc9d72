"""One training job in this process: what it needs, where it stands, and how both survive an interruption."""

import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import torch
from torch import Tensor

from leaf import checkpoint
from leaf.agreement import agreement, merit
from leaf.batches import batch_count
from leaf.cache import TensorCache
from leaf.channel import Channel
from leaf.contract.trainer import Agreement, CalibrateJob, Checkpoint, DistillJob
from leaf.data import Data
from leaf.distributed import World, same_everywhere
from leaf.errors import TrainerError
from leaf.job import Job, targets_of
from leaf.metrics_file import cut_metrics
from leaf.optim import Ema, optimiser
from leaf.passes import Passes, passes_of
from leaf.predict import fit_scale, predict
from leaf.students import Student, new_student


@dataclass
class Standing:
    """Where training stands; stored with each checkpoint."""

    epoch: int = 0
    best_epoch: int = 0
    best_merit: float | None = None
    best_val: Agreement | None = None
    # Of the targets beside the main one.
    best_targets: dict[str, Agreement] = field(default_factory=dict)
    elapsed_s: float = 0.0


@dataclass
class Session:
    """What every part of the loop needs."""

    job: Job
    channel: Channel
    world: World
    cache: TensorCache
    data: Data
    student: Student
    optimizer: torch.optim.AdamW
    ema: Ema | None
    steps_per_epoch: int
    passes: Passes

    @property
    def checkpoints(self) -> Path:
        return self.out / "checkpoints"

    @property
    def out(self) -> Path:
        return Path(self.job.out)

    @property
    def main(self) -> bool:
        return self.world.main


def _fingerprint(job: Job, data: Data) -> str:
    """Of all that decides the result; a checkpoint of another job is not resumed."""
    parts = msgspec.to_builtins(job)
    for key in ("out", "resume", "device", "threads", "workers", "cache", "rows", "domain", "amp", "labels"):
        del parts[key]
    # Of the device, as `amp` is.
    del parts["precision"], parts["microBatch"]
    parts.pop("teacher", None)
    for target in parts.get("targets", []) if isinstance(job, DistillJob) else []:
        del target["labels"]
    parts["rows"] = hashlib.sha256(Path(job.rows).read_bytes()).hexdigest()
    learned = hashlib.sha256()
    unrated = (data.unrated.rows, data.unrated.targets)
    main, *beside = (
        (graph.pairs.a, graph.pairs.b, graph.pairs.p, graph.pairs.weight) for graph in data.graphs()
    )
    others = (numbers for one in beside for numbers in one)
    for numbers in (data.train.targets, data.val.targets, *main, *unrated, *others):
        learned.update(numbers.tobytes())
    parts["learned"] = learned.hexdigest()
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(
    job: Job, channel: Channel, world: World, cache: TensorCache, data: Data
) -> tuple[Session, Standing]:
    """Loads or builds the student; continues from last.pt where it is of this very job."""
    last = Path(job.out) / "checkpoints" / "last.pt"
    state = checkpoint.load(last) if job.resume and last.exists() else None
    if state is not None and state.get("job") != _fingerprint(job, data):
        print("The checkpoint is of another job: training starts anew.", file=sys.stderr)
        state = None
    if not same_everywhere(-1 if state is None else cast(int, state["epoch"]), world):
        # A shared folder may show a new file late.
        raise TrainerError("failed", "The nodes see different checkpoints.", "Check the shared folder.")
    if state is not None:
        student = checkpoint.student_of(state, last.name, job.student.crop)
    elif job.student.backbone is not None:
        student = checkpoint.load_student(Path(job.student.backbone), job.student.crop)
    else:
        student = new_student(job.student.model, job.student.crop)
    taught = student.targets
    student.take_targets(targets_of(job))
    student.to(world.device)
    if world.device.type == "cuda":
        # As its input is: pixels come as height x width x channels.
        cast(Any, student).to(memory_format=torch.channels_last)
    optimizer = optimiser(student, job)
    session = Session(
        job,
        channel,
        world,
        cache,
        data,
        student,
        optimizer,
        None,
        batch_count(len(data.train), job.batch),
        passes_of(job, world),
    )
    if state is not None:
        progress = _restore(session, state)
    else:
        progress = Standing()
        if isinstance(job, CalibrateJob) and job.student.backbone is not None:
            _start_calibration(session, progress, taught)
        if job.ema is not None:
            session.ema = Ema(student, job.ema)
    if session.main:
        cut_metrics(session.out / "metrics.jsonl", progress.epoch if state is not None else -1)
    return session, progress


@dataclass(frozen=True)
class Validated:
    """Agreement with the validation rows' scores: of the main target, None without any, and of others."""

    main: Agreement | None
    targets: dict[str, Agreement]

    def merit(self) -> float | None:
        """What the best epoch has most of: the mean over the targets that tell."""
        found = [one for one in map(merit, (self.main, *self.targets.values())) if one is not None]
        return sum(found) / len(found) if found else None


def validate(session: Session, epoch: int) -> Validated:
    job, val = session.job, session.data.val
    if not len(val):
        return Validated(None, {})

    def told(done: int) -> None:
        session.channel.progress("validate", epoch, job.epochs, done, len(val))

    predicted = predict(session.student, session.cache, val.rows, job, session.world, told)
    names = targets_of(job)
    if not names:
        return Validated(agreement(predicted, val.targets), {})
    rated = [~np.isnan(val.of(target)) for target in range(predicted.shape[1])]
    main, *others = (
        agreement(predicted[rows, i], val.of(i)[rows]) if rows.any() else None for i, rows in enumerate(rated)
    )
    return Validated(main, {name: one for name, one in zip(names, others, strict=True) if one is not None})


def _start_calibration(session: Session, progress: Standing, taught: list[str]) -> None:
    """Gives the distilled student the humans' scale; what it then is may already be the best.

    The head of a target that it was not `taught` is the main one's so far: it may turn it round.
    """
    job, train = session.job, session.data.train
    if job.affine_init:
        predicted = predict(session.student, session.cache, train.rows, job, session.world)
        for i, name in enumerate(["", *targets_of(job)]):
            truth = train.of(i)
            rated = ~np.isnan(truth)
            said = predicted if predicted.ndim == 1 else predicted[:, i]
            fit_scale(session.student, said[rated], truth[rated], i, taught=i == 0 or name in taught)
    val = validate(session, progress.epoch)
    if val.merit() is not None:
        keep_best(session, progress, val)


def _restore(session: Session, state: checkpoint.State) -> Standing:
    session.optimizer.load_state_dict(cast(dict[str, object], state["optimizer"]))
    if state.get("scaler"):
        session.passes.scaler.load_state_dict(cast(dict[str, object], state["scaler"]))
    if session.job.ema is not None:
        session.ema = Ema(session.student, session.job.ema)
        session.ema.load(cast(dict[str, Tensor], state["ema"]))
    torch.set_rng_state(cast(Tensor, state["rng"]))
    return msgspec.convert(state["progress"], Standing)


def keep_best(session: Session, progress: Standing, val: Validated) -> None:
    progress.best_epoch, progress.best_merit = progress.epoch, val.merit()
    progress.best_val, progress.best_targets = val.main, val.targets
    if session.main:
        weights = session.student.state_dict()
        state = checkpoint.student_state(session.student, weights, progress.epoch, val.main)
        checkpoint.save(state, session.checkpoints / "best.pt")


def keep_last(session: Session, progress: Standing) -> None:
    if not session.main:
        return
    path = session.checkpoints / "last.pt"
    student = session.student
    checkpoint.save(
        {
            **checkpoint.student_state(student, student.state_dict(), progress.epoch, progress.best_val),
            "job": _fingerprint(session.job, session.data),
            "ema": session.ema.weights if session.ema is not None else None,
            "optimizer": session.optimizer.state_dict(),
            "scaler": session.passes.scaler.state_dict(),
            "progress": msgspec.to_builtins(progress),
            "rng": torch.get_rng_state(),
        },
        path,
    )
    session.channel.send(Checkpoint(v=1, epoch=progress.epoch, path=str(path)))
