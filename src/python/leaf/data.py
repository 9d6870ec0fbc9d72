"""What there is to learn from: images with targets, and the pair graph over them."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from leaf.batches import PairGraph
from leaf.cache import TensorCache
from leaf.contract.trainer import CalibrateJob
from leaf.errors import TrainerError
from leaf.job import Job, targets_of
from leaf.labels import NO_PAIRS, read_pairs, read_points
from leaf.rows import NO_IMAGES, Split, read_rows


@dataclass(frozen=True)
class Data:
    """`graph` is over positions in `train`; targets of `val` are all known.

    `unrated` are training images whose targets are the teacher's scores, on the scale of the human ones:
    calibration is held to them.
    """

    train: Split
    val: Split
    graph: PairGraph
    unrated: Split = NO_IMAGES


def read_data(job: Job, cache: TensorCache) -> Data:
    """Training images without any label are left out; so are validation images without a target."""
    train, val = read_rows(Path(job.rows), cache, job.student.crop, targets_of(job))
    if isinstance(job, CalibrateJob):
        train, val = (part.keep(part.known()) for part in (train, val))
        if not len(train):
            raise TrainerError("input", "No training image has a human score.", "Add scores to the MOS file.")
        unrated = NO_IMAGES
        if job.teacher is not None:
            unrated, _ = read_rows(Path(job.teacher), cache, job.student.crop)
        return Data(train, val, PairGraph(len(train), NO_PAIRS), unrated.keep(~np.isnan(unrated.targets)))

    hashes = [[cache.hashes[row] for row in part.rows] for part in (train, val)]
    labels = Path(job.labels)
    train = Split(train.rows, read_points(labels, hashes[0]), train.weights)
    val = Split(val.rows, read_points(labels, hashes[1]), val.weights)
    pairs = read_pairs(labels, hashes[0])
    labelled = ~np.isnan(train.targets)
    labelled[pairs.a] = labelled[pairs.b] = True
    if not labelled.any():
        raise TrainerError("input", "No training image has a label.", "Run leaf label first.")
    if not labelled.all():
        print(f"{int((~labelled).sum())} training images have no label and are left out.", file=sys.stderr)
    moved = np.cumsum(labelled) - 1
    pairs = type(pairs)(moved[pairs.a], moved[pairs.b], pairs.p, pairs.weight)
    train = train.keep(labelled)
    return Data(train, val.keep(~np.isnan(val.targets)), PairGraph(len(train), pairs))
