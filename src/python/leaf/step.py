"""One optimisation step on a global batch, and the pixels it needs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from msgspec import UNSET
from numpy.typing import NDArray
from torch import Tensor, nn

from leaf.batches import Batch, draw_batches, mean_weight, take_turns
from leaf.cache import random_window
from leaf.contract.trainer import DistillJob, DistillLoss
from leaf.distributed import share, whole
from leaf.errors import TrainerError
from leaf.job import Job, targets_of
from leaf.loader import stack
from leaf.losses import mse_loss, pair_loss, plcc_loss, point_loss
from leaf.passes import gradients
from leaf.session import Session

Parts = dict[str, Tensor | None]
# On a GPU each look at a loss waits for all that was asked of it before.
LOOK_EVERY_STEPS = 20
# The teacher errs by more on some images: beyond this many points they pull no harder.
TEACHER_DELTA = 1.0


@dataclass(frozen=True)
class Epoch:
    """The batches of an epoch: positions in `train`, and beside them in `unrated`."""

    number: int
    batches: list[Batch]
    beside: list[Batch]
    """What a batch's pairs weigh on average; of each target, the main one first."""
    pair_weights: list[float]


def draw_epoch(session: Session, number: int) -> Epoch:
    job, data = session.job, session.data
    batches = draw_batches(data.walked(), job.batch, (job.seed, number))
    before = (number - 1) * len(batches)
    beside = take_turns(len(data.unrated), len(batches), job.batch, before, job.seed)
    return Epoch(number, batches, beside, [mean_weight(graph, batches) for graph in data.graphs()])


def _rows(session: Session, epoch: Epoch, index: int) -> NDArray[np.int64]:
    data = session.data
    return np.concatenate([data.train.rows[epoch.batches[index]], data.unrated.rows[epoch.beside[index]]])


def cutter(session: Session, epoch: Epoch) -> Callable[[int], Tensor]:
    """Makes this rank's pixels of a batch. The key of each window knows nothing of ranks or threads."""
    job = session.job

    def make(index: int) -> Tensor:
        rows = _rows(session, epoch, index)
        start, end = share(len(rows), session.world)
        # A rank without a share runs one image for nothing: all must join the gradient exchange.
        mine = rows[start:end] if end > start else rows[:1]
        windows = [
            random_window(
                session.cache.picture(row),
                job.student.crop,
                (job.seed, epoch.number, index, row),
            )
            for row in mine.tolist()
        ]
        return stack(windows, session.world.device)

    return make


def train_step(
    session: Session, model: nn.Module, epoch: Epoch, index: int, pixels: Tensor
) -> tuple[Tensor, Parts]:
    """The loss and its parts: numbers on the device, which Told reads later."""
    job, world = session.job, session.world
    images = len(epoch.batches[index]) + len(epoch.beside[index])
    start, end = share(images, world)

    def loss_of(mine: Tensor) -> tuple[Tensor, Parts]:
        return batch_loss(session, epoch, index, whole(mine[: end - start], start, images, world))

    loss, parts = gradients(session.passes, model, pixels, loss_of)
    scaler = session.passes.scaler
    if job.clip is not None:
        trained = [p for group in session.optimizer.param_groups for p in group["params"]]
        scaler.unscale_(session.optimizer)
        nn.utils.clip_grad_norm_(trained, job.clip)
    scaler.step(session.optimizer)
    scaler.update()
    return loss.detach(), parts


def batch_loss(session: Session, epoch: Epoch, index: int, scores: Tensor) -> tuple[Tensor, Parts]:
    """The weighted loss of a global batch and its parts, None where the batch does not define one.

    `scores`: of the batch, then of the unrated images beside it; [N], of several targets [N, T]: their losses
    have the same say, and parts of those beside the main one begin with their names.
    """
    # Starts from the scores so that a batch without any term still has a (zero) gradient.
    loss = 0 * scores.sum()
    parts: Parts = {}
    columns = [scores] if scores.ndim == 1 else list(scores.unbind(1))
    for target, column in enumerate(columns):
        prefix = f"{targets_of(session.job)[target - 1]} " if target > 0 else ""
        for name, (share_of_loss, term) in _terms(session, epoch, index, column, target).items():
            parts[prefix + name] = None if term is None else term.detach()
            if term is not None and share_of_loss > 0:
                loss = loss + share_of_loss / len(columns) * term
    return loss, parts


Terms = dict[str, tuple[float, Tensor | None]]


def _terms(session: Session, epoch: Epoch, index: int, scores: Tensor, target: int) -> Terms:
    """What a target's scores [N] are judged by: each term's share of the loss, and its value."""
    weights, data = session.job.loss, session.data
    batch, beside = epoch.batches[index], epoch.beside[index]
    targets = torch.from_numpy(data.train.of(target)[batch])
    if isinstance(weights, DistillLoss):
        graph, pair_weight = data.graphs()[target], epoch.pair_weights[target]
        a, b, edges = graph.inside(batch)
        p, weight, ia, ib = (
            torch.from_numpy(x).to(scores.device, non_blocking=True)
            for x in (graph.pairs.p[edges], graph.pairs.weight[edges], a, b)
        )
        return {
            "point": (weights.point, point_loss(scores, targets, weights.huber_delta)),
            "pair": (
                weights.pair,
                pair_loss(scores, ia, ib, p, weight, _temperature(session.job, target), pair_weight)
                if pair_weight > 0
                else None,
            ),
        }
    rated, unrated = scores[: len(batch)], scores[len(batch) :]
    weight = torch.from_numpy(data.train.weights[batch])
    if data.train.targets.ndim > 1:
        # An image may have a score of some targets alone; weights are the main one's.
        known = torch.nonzero(~torch.isnan(targets)).squeeze(1)
        rated, targets = rated[known.to(scores.device, non_blocking=True)], targets[known]
        weight = weight[known] if target == 0 else torch.ones_like(targets)
    terms: Terms = {
        "mse": (weights.mse, mse_loss(rated, targets, weight) if len(targets) else None),
        "plcc": (weights.plcc, plcc_loss(rated, targets, weight)),
    }
    if len(data.unrated) and target == 0:
        said = torch.from_numpy(data.unrated.targets[beside])
        terms["teacher"] = (weights.teacher, point_loss(unrated, said, TEACHER_DELTA))
    return terms


def _temperature(job: Job, target: int) -> float:
    """T of a target's pair-wise loss."""
    assert isinstance(job, DistillJob)
    further = [] if job.targets is UNSET else job.targets
    return job.loss.temperature if target == 0 else further[target - 1].temperature


class Told:
    """The losses of some steps, which stay on the device until they are looked at together."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._waiting: list[tuple[int, Tensor, Parts]] = []

    @property
    def due(self) -> bool:
        return len(self._waiting) >= self._every

    def add(self, step: int, loss: Tensor, parts: Parts) -> None:
        self._waiting.append((step, loss, parts))

    def look(self, epoch: int) -> Iterator[tuple[float, dict[str, float | None]]]:
        """The loss of each step and its parts; raises TrainerError("nan") at one that is not finite."""
        waiting, self._waiting = self._waiting, []
        on_device = [x for _, loss, parts in waiting for x in (loss, *parts.values()) if x is not None]
        numbers = iter(torch.stack(on_device).tolist() if on_device else ())
        for step, _, parts in waiting:
            loss = next(numbers)
            if not math.isfinite(loss):
                raise TrainerError(
                    "nan",
                    f"The loss became {loss} in epoch {epoch}, step {step + 1}.",
                    "Lower the learning rates; training resumes from the last finished epoch.",
                )
            yield loss, {name: None if x is None else next(numbers) for name, x in parts.items()}


class Means:
    """Means over steps; a part of the loss counts only in steps that have it."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._times: dict[str, int] = {}

    def add(self, loss: float, parts: dict[str, float | None]) -> None:
        for name, value in {"loss": loss, **parts}.items():
            self._sums.setdefault(name, 0.0)
            self._times.setdefault(name, 0)
            if value is not None:
                self._sums[name] += value
                self._times[name] += 1

    def of(self, name: str) -> float | None:
        return self._sums[name] / self._times[name] if self._times.get(name) else None

    def parts(self) -> dict[str, float | None]:
        return {name: self.of(name) for name in self._sums if name != "loss"}
