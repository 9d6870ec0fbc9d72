"""What there is to learn from: images with targets, and the pair graph over them."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from msgspec import UNSET

from leaf.batches import PairGraph
from leaf.cache import TensorCache
from leaf.contract.trainer import CalibrateJob
from leaf.errors import TrainerError
from leaf.job import Job, targets_of
from leaf.labels import NO_PAIRS, Pairs, read_pairs, read_points
from leaf.rows import NO_IMAGES, Split, read_rows


@dataclass(frozen=True)
class Data:
    """`graph` is over positions in `train`; every image of `val` has a target.

    `unrated` are training images whose targets are the teacher's scores, on the scale of the human ones:
    calibration is held to them. `beside` are the graphs of the targets beside the main one.
    """

    train: Split
    val: Split
    graph: PairGraph
    unrated: Split = NO_IMAGES
    beside: list[PairGraph] = field(default_factory=list)

    def graphs(self) -> list[PairGraph]:
        """Of each target, the main one first."""
        return [self.graph, *self.beside]

    def walked(self) -> PairGraph:
        """The pairs of all targets: batches are drawn by them."""
        if not self.beside:
            return self.graph
        parts = [graph.pairs for graph in self.graphs()]
        joined = Pairs(
            *(np.concatenate([getattr(one, name) for one in parts]) for name in ("a", "b", "p", "weight"))
        )
        return PairGraph(self.graph.n, joined)


def read_data(job: Job, cache: TensorCache) -> Data:
    """Training images without any label are left out; so are validation images without a target."""
    if isinstance(job, CalibrateJob):
        rated = read_rows(Path(job.rows), cache, job.student.crop, targets_of(job))
        train, val = (part.keep(part.known()) for part in rated)
        if not len(train):
            raise TrainerError("input", "No training image has a human score.", "Add scores to the MOS file.")
        unrated = NO_IMAGES
        if job.teacher is not None:
            unrated, _ = read_rows(Path(job.teacher), cache, job.student.crop)
        return Data(train, val, PairGraph(len(train), NO_PAIRS), unrated.keep(~np.isnan(unrated.targets)))

    files = [Path(job.labels), *(Path(one.labels) for one in ([] if job.targets is UNSET else job.targets))]
    train, val = (
        _labelled(part, cache, files) for part in read_rows(Path(job.rows), cache, job.student.crop)
    )
    learnt = [read_pairs(file, [cache.hashes[row] for row in train.rows]) for file in files]
    labelled = train.known()
    for pairs in learnt:
        labelled[pairs.a] = labelled[pairs.b] = True
    if not labelled.any():
        raise TrainerError("input", "No training image has a label.", "Run leaf label first.")
    if not labelled.all():
        print(f"{int((~labelled).sum())} training images have no label and are left out.", file=sys.stderr)
    moved = np.cumsum(labelled) - 1
    train = train.keep(labelled)
    graph, *beside = (
        PairGraph(len(train), Pairs(moved[pairs.a], moved[pairs.b], pairs.p, pairs.weight))
        for pairs in learnt
    )
    return Data(train, val.keep(val.known()), graph, beside=beside)


def _labelled(part: Split, cache: TensorCache, files: list[Path]) -> Split:
    """With the teacher's scores as targets: [n], of several files of labels [n, T]."""
    hashes = [cache.hashes[row] for row in part.rows]
    scores = [read_points(file, hashes) for file in files]
    return Split(part.rows, scores[0] if len(files) == 1 else np.stack(scores, axis=1), part.weights)
