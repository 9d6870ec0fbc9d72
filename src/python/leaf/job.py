"""JOB.json: what to train. Strict: an unknown key or a wrong value is one sentence naming the key."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from leaf.errors import TrainerError
from leaf.reader import Reader, wrong

Kind = Literal["distill", "calibrate"]
SUBJECT = "JOB.json"


@dataclass(frozen=True)
class StudentSpec:
    model: str
    crop: int
    views: int
    backbone: Path | None


@dataclass(frozen=True)
class LabelSource:
    db: Path
    teacher: str
    min_confidence: float
    max_point_id: int
    max_pair_id: int


@dataclass(frozen=True)
class DistillLoss:
    point: float
    pair: float
    temperature: float
    huber_delta: float
    confidence: bool


@dataclass(frozen=True)
class CalibrateLoss:
    mse: float
    plcc: float


@dataclass(frozen=True)
class Job:
    kind: Kind
    out: Path
    resume: bool
    seed: int
    device: str
    threads: int | None
    workers: int
    student: StudentSpec
    cache: Path
    rows: Path
    domain: Path | None
    labels: LabelSource | None
    epochs: int
    batch: int
    lr_backbone: float
    lr_head: float
    weight_decay: float
    warmup: float
    clip: float | None
    ema: float | None
    amp: str
    keep: str
    head_only: bool
    affine_init: bool
    loss: DistillLoss | CalibrateLoss


def read_job(path: Path) -> Job:
    """Reads and checks a job file; raises TrainerError("input") with one sentence."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainerError("input", f"{path.name}: cannot be read ({type(error).__name__}).") from error
    try:
        value: object = json.loads(text)
    except ValueError as error:
        raise TrainerError("input", f"{path.name}: not valid JSON ({error}).") from error
    except RecursionError as error:
        raise TrainerError("input", f"{path.name}: nested too deeply.") from error
    return parse_job(value)


def parse_job(value: object) -> Job:
    """Checks a decoded job; raises TrainerError("input") naming the first wrong key."""
    job = Reader(value, SUBJECT)
    if job.number("v", low=1, high=1) != 1:
        raise wrong(SUBJECT, "v", "must be 1")
    kind = cast(Kind, job.choice("kind", ("distill", "calibrate")))
    student = job.child("student")
    backbone = student.text("backbone", None)
    spec = StudentSpec(
        model=student.required_text("model"),
        crop=student.integer("crop", low=16, high=4096),
        views=student.integer("views", default=1, low=1, high=5),
        backbone=None if backbone is None else Path(backbone),
    )
    if spec.views not in (1, 5):
        raise wrong(SUBJECT, "student.views", "must be 1 or 5")
    if spec.backbone is not None and kind == "distill":
        raise wrong(SUBJECT, "student.backbone", "is for calibrate only")
    student.end()
    rates = job.child("lr")
    lr_backbone = rates.number("backbone", low=0, high=math.inf)
    lr_head = rates.number("head", low=0, high=math.inf)
    rates.end()
    parsed = Job(
        kind=kind,
        out=Path(job.required_text("out")),
        resume=job.boolean("resume", True),
        seed=job.integer("seed", default=0, low=0, high=2**53),
        device=job.choice("device", ("auto", "cpu", "cuda", "mps"), "auto"),
        threads=job.optional_integer("threads", low=1, high=1024),
        workers=job.optional_integer("workers", low=0, high=256) or 1,
        student=spec,
        cache=Path(job.required_text("cache")),
        rows=Path(job.required_text("rows")),
        domain=None if (domain := job.text("domain", None)) is None else Path(domain),
        labels=_labels(job, kind),
        epochs=job.integer("epochs", low=1, high=100_000),
        batch=job.integer("batch", low=1, high=1_000_000),
        lr_backbone=lr_backbone,
        lr_head=lr_head,
        weight_decay=job.number("weightDecay", default=0.02, low=0, high=math.inf),
        warmup=job.number("warmup", default=0.1, low=0, high=1),
        clip=job.optional_number("clip", 1.0, low=0, high=math.inf),
        ema=job.optional_number("ema", None, low=0, high=0.999999),
        amp=job.choice("amp", ("auto", "off"), "auto"),
        keep=job.choice("keep", ("best", "last"), "best"),
        head_only=job.boolean("headOnly", False),
        affine_init=job.boolean("affineInit", True),
        loss=_loss(job, kind),
    )
    job.end()
    return parsed


def _labels(job: Reader, kind: Kind) -> LabelSource | None:
    labels = job.optional_child("labels")
    if labels is None:
        if kind == "distill":
            raise wrong(SUBJECT, "labels", "is required for distill")
        return None
    if kind == "calibrate":
        raise wrong(SUBJECT, "labels", "is for distill only: calibrate reads human scores from rows")
    source = LabelSource(
        db=Path(labels.required_text("db")),
        teacher=labels.required_text("teacher"),
        min_confidence=labels.number("minConfidence", default=0.1, low=0, high=1),
        max_point_id=labels.integer("maxPointId", low=0, high=2**63 - 1),
        max_pair_id=labels.integer("maxPairId", low=0, high=2**63 - 1),
    )
    labels.end()
    return source


def _loss(job: Reader, kind: Kind) -> DistillLoss | CalibrateLoss:
    loss = job.optional_child("loss") or Reader({}, SUBJECT, "loss.")
    parsed: DistillLoss | CalibrateLoss
    if kind == "distill":
        parsed = DistillLoss(
            point=loss.number("point", default=1, low=0, high=math.inf),
            pair=loss.number("pair", default=1, low=0, high=math.inf),
            temperature=loss.number("temperature", default=1, low=1e-6, high=math.inf),
            huber_delta=loss.number("huberDelta", default=1, low=1e-6, high=math.inf),
            confidence=loss.boolean("confidence", True),
        )
        total = parsed.point + parsed.pair
    else:
        parsed = CalibrateLoss(
            mse=loss.number("mse", default=1, low=0, high=math.inf),
            plcc=loss.number("plcc", default=1, low=0, high=math.inf),
        )
        total = parsed.mse + parsed.plcc
    loss.end()
    if total == 0:
        raise wrong(SUBJECT, "loss", "must have at least one weight above 0")
    return parsed
