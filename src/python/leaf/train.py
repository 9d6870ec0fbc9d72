"""The training loop of both stages: distillation from labels and calibration on human scores."""

import hashlib
import json
import math
import platform
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from leaf import checkpoint
from leaf.agreement import agreement, merit
from leaf.batches import Batch, batch_count, draw_batches
from leaf.cache import TensorCache, eval_windows, random_window
from leaf.channel import Channel
from leaf.data import Data, read_data
from leaf.distributed import World, join, leave, share, whole
from leaf.environment import device_name
from leaf.errors import TrainerError
from leaf.export import export
from leaf.job import CalibrateLoss, DistillLoss, Job
from leaf.loader import prefetch, stack
from leaf.losses import mse_loss, pair_loss, plcc_loss, point_loss
from leaf.messages import Agreement, Metrics
from leaf.metrics_file import append_metrics, cut_metrics
from leaf.optim import Ema, optimiser, rate, set_rate
from leaf.predict import fit_scale, predict
from leaf.students import Student, new_student

METRICS_EVERY_STEPS = 100
EXPORT_CROPS = 8


@dataclass
class Progress:
    """Where training stands; stored with each checkpoint."""

    epoch: int = 0
    best_epoch: int = 0
    best_merit: float | None = None
    best_val: Agreement | None = None
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

    @property
    def checkpoints(self) -> Path:
        return self.job.out / "checkpoints"

    @property
    def main(self) -> bool:
        return self.world.rank == 0


def run(job: Job, channel: Channel) -> None:
    """Trains, exports and tells the channel all along; raises TrainerError."""
    device = _device(job.device)
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(job.seed)
    world = join(device)
    channel.send(
        {
            "type": "hello",
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "device": device,
            "deviceName": device_name(device),
            "worldSize": world.size,
            "amp": "bf16" if _uses_amp(job, world) else "off",
        }
    )
    channel.progress("load", 0, job.epochs, 0, 0)
    cache = TensorCache(job.cache)
    data = read_data(job, cache)
    # A small set is one batch of its own size.
    job = replace(job, batch=min(job.batch, len(data.train)))
    (job.out / "checkpoints").mkdir(parents=True, exist_ok=True)
    if world.rank == 0:
        checkpoint.remove_leftovers(job.out)
        checkpoint.remove_leftovers(job.out / "checkpoints")
    session, progress = _prepare(job, channel, world, cache, data)
    while progress.epoch < job.epochs:
        _epoch(session, progress)
    _finish(session, progress)
    leave(world)


def _device(wanted: str) -> str:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    if (wanted == "cuda" and not cuda) or (wanted == "mps" and not mps):
        raise TrainerError("environment", f"This PyTorch sees no {wanted} device.", "Set device to auto or cpu.")
    return wanted


def _uses_amp(job: Job, world: World) -> bool:
    return job.amp == "auto" and world.device.type == "cuda"


def _fingerprint(job: Job) -> str:
    """Of all that decides the result; a checkpoint of another job is not resumed."""
    parts = asdict(job)
    for key in ("out", "resume", "device", "threads", "workers", "cache", "rows", "amp"):
        del parts[key]
    parts["rows"] = hashlib.sha256(job.rows.read_bytes()).hexdigest()
    if parts["labels"]:
        del parts["labels"]["db"]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def _prepare(job: Job, channel: Channel, world: World, cache: TensorCache, data: Data) -> tuple[Session, Progress]:
    """Loads or builds the student; continues from last.pt where it is of this very job."""
    last = job.out / "checkpoints" / "last.pt"
    state = checkpoint.load(last) if job.resume and last.exists() else None
    if state is not None and state.get("job") != _fingerprint(job):
        print("The checkpoint is of another job: training starts anew.", file=sys.stderr)
        state = None
    if state is not None:
        student = checkpoint.student_of(state, last.name, job.student.crop)
    elif job.student.backbone is not None:
        student = checkpoint.load_student(job.student.backbone, job.student.crop)
    else:
        student = new_student(job.student.model, job.student.crop)
    student.to(world.device)
    optimizer = optimiser(student, job)
    session = Session(
        job, channel, world, cache, data, student, optimizer, None, batch_count(len(data.train), job.batch)
    )
    if state is not None:
        progress = _restore(session, state)
    else:
        progress = Progress()
        if job.kind == "calibrate" and job.student.backbone is not None:
            _start_calibration(session, progress)
        if job.ema is not None:
            session.ema = Ema(student, job.ema)
    if session.main:
        cut_metrics(job.out / "metrics.jsonl", progress.epoch if state is not None else -1)
    return session, progress


def _start_calibration(session: Session, progress: Progress) -> None:
    """Gives the distilled student the humans' scale; what it then is may already be the best."""
    job, train = session.job, session.data.train
    if job.affine_init:
        predicted = predict(session.student, session.cache, train.rows, job, session.world)
        fit_scale(session.student, predicted, train.targets)
    val = _validate(session, progress.epoch)
    if merit(val) is not None:
        _keep_best(session, progress, val)


def _restore(session: Session, state: checkpoint.State) -> Progress:
    session.optimizer.load_state_dict(cast(dict[str, object], state["optimizer"]))
    if session.job.ema is not None:
        session.ema = Ema(session.student, session.job.ema)
        session.ema.load(cast(dict[str, Tensor], state["ema"]))
    torch.set_rng_state(cast(Tensor, state["rng"]))
    return Progress(**cast(dict[str, object], state["progress"]))  # type: ignore[arg-type]


def _epoch(session: Session, progress: Progress) -> None:
    job, world, channel = session.job, session.world, session.channel
    epoch = progress.epoch + 1
    started = time.perf_counter()
    batches = draw_batches(session.data.graph, job.batch, (job.seed, epoch))
    model: nn.Module = session.student
    if world.size > 1:
        model = DistributedDataParallel(model, broadcast_buffers=False)
    total, window = _Means(), _Means()
    first = progress.epoch * len(batches)
    images = 0
    for index, pixels in prefetch(range(len(batches)), _cutter(session, batches, first), job.workers):
        step = first + index
        set_rate(session.optimizer, rate(step, len(batches) * job.epochs, job.warmup))
        loss, parts = _step(session, model, batches[index], pixels, epoch, step)
        if session.ema is not None:
            session.ema.update(session.student, step)
        total.add(loss, parts)
        window.add(loss, parts)
        images += len(batches[index])
        speed = images / (time.perf_counter() - started)
        channel.progress("train", epoch, job.epochs, index + 1, len(batches), speed)
        if (step + 1) % METRICS_EVERY_STEPS == 0 and index + 1 < len(batches):
            _tell(session, epoch, step + 1, window, None, speed)
            window = _Means()
    speed = images / (time.perf_counter() - started)
    progress.epoch = epoch
    with _Averaged(session):
        val = _validate(session, epoch)
        _tell(session, epoch, first + len(batches), total, val, speed)
        better = merit(val)
        if better is None or progress.best_merit is None or better > progress.best_merit:
            _keep_best(session, progress, val)
    progress.elapsed_s += time.perf_counter() - started
    _keep_last(session, progress)


class _Averaged:
    """Puts the mean weights into the student, and the trained ones back at the end."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        if self._session.ema is not None:
            self._trained = {k: v.clone() for k, v in self._session.student.state_dict().items()}
            self._session.student.load_state_dict(self._session.ema.weights)

    def __exit__(self, *_: object) -> None:
        if self._session.ema is not None:
            self._session.student.load_state_dict(self._trained)
