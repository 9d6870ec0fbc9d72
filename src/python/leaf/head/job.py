"""The jobs of the closed form."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import UNSET

from leaf.channel import Channel
from leaf.contract.head import BackboneDone, BackboneJob, FitJob, FittedHead, HeadDone, HeadJob, Levels
from leaf.errors import TrainerError

if TYPE_CHECKING:
    from leaf.head.fit import Fit

EXPORT_CROPS = 2


def run(job: HeadJob, channel: Channel) -> None:
    """Does the job and tells the channel; raises TrainerError."""
    if isinstance(job, FitJob):
        _fit(job, channel)
    else:
        _export(job, channel)


def _fit(job: FitJob, channel: Channel) -> None:
    from leaf.head.compose import compose
    from leaf.head.fit import fit, fit_beside
    from leaf.head.rows import read_features, read_rated

    started = time.perf_counter()
    rated, rows = read_rated(Path(job.rows))
    features = [read_features(network, rows) for network in job.networks]
    teacher = None
    if job.teacher is not UNSET:
        teacher, count = read_rated(Path(job.teacher))
        if count != rows:
            raise TrainerError("input", f"{job.teacher} has {count} rows, not {rows}.")
    found = fit(job.networks, features, rated, teacher)
    out = Path(job.out)
    path = out / "student.onnx"
    beside = {}
    for target in [] if job.targets is UNSET else job.targets:
        others, count = read_rated(Path(target.rows))
        if count != rows:
            raise TrainerError("input", f"{target.rows} has {count} rows, not {rows}.")
        beside[target.name] = fit_beside(found, job.networks, features, others, target.name)
    parameters = compose(found, job.networks, path, beside)
    channel.send(
        HeadDone(
            v=1,
            duration_s=round(time.perf_counter() - started, 3),
            onnx=str(path),
            parameters=parameters,
            facts=found.facts,
            folds=found.folds,
            predictions=_predictions(found, out / "head.csv"),
            targets=[
                FittedHead(
                    name=name, facts=one.facts, predictions=_predictions(one, out / f"head-{i + 1}.csv")
                )
                for i, (name, one) in enumerate(beside.items())
            ]
            or UNSET,
        )
    )


def _predictions(found: "Fit", path: Path) -> str:
    told = np.stack([found.scores, found.deviations], axis=1)
    np.savetxt(path, told, fmt="%.9g", delimiter=",", header="score,sd", comments="")
    return str(path)


def _export(job: BackboneJob, channel: Channel) -> None:
    """The network with the weights it comes with; its score says nothing."""
    import torch

    from leaf.export import export
    from leaf.levels import layout
    from leaf.students import new_student

    started = time.perf_counter()
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    torch.manual_seed(0)
    student = new_student(job.model, job.crop)
    rng = np.random.default_rng(0)
    crops = [rng.integers(0, 256, (job.crop, job.crop, 3), dtype=np.uint8) for _ in range(EXPORT_CROPS)]
    # Of two sizes, neither of which halves evenly.
    whole = [np.tile(one, (2, 2, 1))[: job.crop + 31, : job.crop + 50 + i] for i, one in enumerate(crops)]
    path = Path(job.out) / "student.onnx"
    difference = export(student, crops, path, None, whole if job.views == "whole" else None)
    channel.send(
        BackboneDone(
            v=1,
            duration_s=round(time.perf_counter() - started, 3),
            onnx=str(path),
            export_max_difference=difference,
            parameters=sum(p.numel() for p in student.parameters()),
            levels=msgspec.convert(msgspec.to_builtins(layout(student)), Levels),
            torch=str(torch.__version__),
        )
    )
