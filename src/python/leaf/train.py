"""The training loop of both stages: distillation from labels and calibration on human scores."""

import os
import platform
import time
from pathlib import Path

import msgspec
import numpy as np
import torch
from msgspec import UNSET
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from leaf import checkpoint
from leaf.cache import TensorCache, eval_windows
from leaf.channel import Channel
from leaf.compiling import compiled_if_it_pays, worth_a_trial
from leaf.contract.trainer import Done, Hello, Metrics
from leaf.data import read_data
from leaf.device import device_of, set_up, workers_for
from leaf.distributed import join, leave
from leaf.environment import device_name
from leaf.export import export
from leaf.job import Job
from leaf.levels import layout
from leaf.loader import prefetch
from leaf.measure import measure_domain
from leaf.metrics_file import append_metrics
from leaf.notices import gpu_notice, seconds_ahead, time_notice
from leaf.optim import rate, set_rate, told_rate
from leaf.passes import passes_of, told_precision
from leaf.session import Session, Standing, Validated, keep_best, keep_last, prepare, validate
from leaf.step import LOOK_EVERY_STEPS, Means, Told, cutter, draw_epoch, train_step

METRICS_EVERY_STEPS = 100
EXPORT_CROPS = 8
EXPORT_WHOLE = 3


def run(job: Job, channel: Channel) -> None:
    """Trains, exports and tells the channel all along; raises TrainerError."""
    device = device_of(job.device)
    set_up(device)
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    world = join(device)
    channel.send(
        Hello(
            v=1,
            python=platform.python_version(),
            torch=str(torch.__version__),
            device=device,
            device_name=device_name(device),
            world_size=world.size,
            amp=told_precision(passes_of(job, world)),
        )
    )
    if (unseen := gpu_notice(device)) is not None:
        channel.send(unseen)
    channel.progress("load", 0, job.epochs, 0, 0)
    cache = TensorCache(Path(job.cache))
    data = read_data(job, cache)
    # A small set is one batch of its own size.
    job = msgspec.structs.replace(
        job,
        batch=min(job.batch, len(data.train)),
        workers=job.workers or workers_for(device, os.cpu_count() or 1),
    )
    out = Path(job.out)
    (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    if world.main:
        checkpoint.remove_leftovers(out)
        checkpoint.remove_leftovers(out / "checkpoints")
    session, progress = prepare(job, channel, world, cache, data)
    seconds = seconds_ahead(session, progress)
    if (slow := time_notice(session, seconds)) is not None:
        channel.send(slow)
    model: nn.Module = session.student
    if seconds is not None and worth_a_trial(device, world.size, seconds):
        steps = session.steps_per_epoch * (job.epochs - progress.epoch)
        model = compiled_if_it_pays(session.student, session.passes, job.batch, steps)
    if world.size > 1:
        model = DistributedDataParallel(model, broadcast_buffers=False)
    while progress.epoch < job.epochs:
        _epoch(session, model, progress)
    _finish(session, progress)
    leave(world)


def _epoch(session: Session, model: nn.Module, progress: Standing) -> None:
    job, channel = session.job, session.channel
    epoch = progress.epoch + 1
    started = time.perf_counter()
    drawn = draw_epoch(session, epoch)
    batches = drawn.batches
    total, window = Means(), Means()
    told = Told(1 if session.world.device.type == "cpu" else LOOK_EVERY_STEPS)
    first = progress.epoch * len(batches)
    images = 0
    for index, pixels in prefetch(range(len(batches)), cutter(session, drawn), job.workers):
        step = first + index
        set_rate(session.optimizer, rate(step, len(batches) * job.epochs, job.warmup))
        told.add(step, *train_step(session, model, drawn, index, pixels))
        if session.ema is not None:
            session.ema.update(session.student, step)
        last = index + 1 == len(batches)
        telling = (step + 1) % METRICS_EVERY_STEPS == 0 and not last
        if told.due or telling or last:
            for loss, parts in told.look(epoch):
                total.add(loss, parts)
                window.add(loss, parts)
        images += len(batches[index])
        speed = images / (time.perf_counter() - started)
        channel.progress("train", epoch, job.epochs, index + 1, len(batches), speed)
        if telling:
            _tell(session, epoch, step + 1, window, None, speed)
            window = Means()
    speed = images / (time.perf_counter() - started)
    progress.epoch = epoch
    with _Averaged(session):
        val = validate(session, epoch)
        _tell(session, epoch, first + len(batches), total, val, speed)
        better = val.merit()
        best = progress.best_merit is None or (better is not None and better > progress.best_merit)
        # A small validation set may choose a hardly trained epoch; `last` relies on the schedule.
        if best if job.keep == "best" else epoch == job.epochs:
            keep_best(session, progress, val)
    progress.elapsed_s += time.perf_counter() - started
    keep_last(session, progress)


class _Averaged:
    """Puts the mean weights into the student, and the trained ones back at the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trained: dict[str, Tensor] = {}

    def __enter__(self) -> None:
        if self._session.ema is not None:
            self._trained = {k: v.clone() for k, v in self._session.student.state_dict().items()}
            self._session.student.load_state_dict(self._session.ema.weights)

    def __exit__(self, *_: object) -> None:
        if self._session.ema is not None:
            self._session.student.load_state_dict(self._trained)


def _tell(session: Session, epoch: int, step: int, means: Means, val: Validated | None, speed: float) -> None:
    metrics = Metrics(
        v=1,
        epoch=epoch,
        step=step,
        loss=means.of("loss") or 0.0,
        parts=means.parts(),
        lr=told_rate(session.optimizer, session.job),
        val=None if val is None else val.main,
        targets=UNSET if val is None or not val.targets else val.targets,
        images_per_s=round(speed, 2),
    )
    session.channel.send(metrics)
    if session.main:
        append_metrics(session.out / "metrics.jsonl", metrics)


def _finish(session: Session, progress: Standing) -> None:
    """Exports the best student; the main process alone."""
    if not session.main:
        return
    job, channel = session.job, session.channel
    channel.progress("export", job.epochs, job.epochs, 0, 1)
    started = time.perf_counter()
    student = checkpoint.load_student(session.checkpoints / "best.pt", job.student.crop)
    rows = np.concatenate([session.data.val.rows, session.data.train.rows])[:EXPORT_CROPS]
    pictures = [session.cache.picture(int(row)) for row in rows]
    crops = [eval_windows(picture, job.student.crop, 1)[0] for picture in pictures]
    whole = pictures[:EXPORT_WHOLE] if job.student.views == "whole" else None
    path = session.out / "student.onnx"
    domain = measure_domain(session, student)
    difference = export(student, crops, path, domain and domain[0], whole)
    channel.send(
        Done(
            v=1,
            epochs=job.epochs,
            best_epoch=progress.best_epoch,
            duration_s=round(progress.elapsed_s + time.perf_counter() - started, 3),
            onnx=str(path),
            export_max_difference=difference,
            val=progress.best_val,
            targets=progress.best_targets or UNSET,
            parameters=sum(p.numel() for p in student.parameters()),
            domain=domain and domain[1],
            levels=layout(student),
        )
    )
