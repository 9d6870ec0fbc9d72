"""JOB.json: what to train. Strict: an unknown key or a wrong value is one sentence naming the key."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from leaf.errors import TrainerError

Kind = Literal["distill", "calibrate"]
Object = dict[str, object]


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
    job = _Reader(value, "")
    if job.number("v", low=1, high=1) != 1:
        raise _wrong("v", "must be 1")
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
        raise _wrong("student.views", "must be 1 or 5")
    if spec.backbone is not None and kind == "distill":
        raise _wrong("student.backbone", "is for calibrate only")
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


def _labels(job: "_Reader", kind: Kind) -> LabelSource | None:
    labels = job.optional_child("labels")
    if labels is None:
        if kind == "distill":
            raise _wrong("labels", "is required for distill")
        return None
    if kind == "calibrate":
        raise _wrong("labels", "is for distill only: calibrate reads human scores from rows")
    source = LabelSource(
        db=Path(labels.required_text("db")),
        teacher=labels.required_text("teacher"),
        min_confidence=labels.number("minConfidence", default=0.1, low=0, high=1),
        max_point_id=labels.integer("maxPointId", low=0, high=2**63 - 1),
        max_pair_id=labels.integer("maxPairId", low=0, high=2**63 - 1),
    )
    labels.end()
    return source


def _loss(job: "_Reader", kind: Kind) -> DistillLoss | CalibrateLoss:
    loss = job.optional_child("loss") or _Reader({}, "loss.")
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
        raise _wrong("loss", "must have at least one weight above 0")
    return parsed


def _wrong(key: str, reason: str) -> TrainerError:
    return TrainerError("input", f"JOB.json: {key or 'the job'} {reason}.")


class _Missing:
    pass


_MISSING = _Missing()


class _Reader:
    """Takes keys out of one JSON object and complains about those that are left."""

    def __init__(self, value: object, prefix: str) -> None:
        if not isinstance(value, dict):
            raise _wrong(prefix.rstrip("."), "must be an object")
        self._rest: Object = dict(value)
        self._prefix = prefix

    def _take(self, key: str) -> object:
        return self._rest.pop(key, _MISSING)

    def end(self) -> None:
        for key in self._rest:
            raise _wrong(self._prefix + key, "is not a known key")

    def child(self, key: str) -> "_Reader":
        return _Reader(self._need(key), f"{self._prefix}{key}.")

    def optional_child(self, key: str) -> "_Reader | None":
        value = self._take(key)
        return None if value is None or value is _MISSING else _Reader(value, f"{self._prefix}{key}.")

    def _need(self, key: str) -> object:
        value = self._take(key)
        if value is _MISSING:
            raise _wrong(self._prefix + key, "is missing")
        return value

    def text(self, key: str, default: str | None) -> str | None:
        value = self._take(key)
        if value is _MISSING or value is None:
            return default
        if not isinstance(value, str) or not value or "\0" in value:
            raise _wrong(self._prefix + key, "must be a non-empty text")
        return value

    def required_text(self, key: str) -> str:
        value = self.text(key, None)
        if value is None:
            raise _wrong(self._prefix + key, "is missing")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        value = self._take(key)
        if value is _MISSING:
            return default
        if not isinstance(value, bool):
            raise _wrong(self._prefix + key, "must be true or false")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        if not isinstance(value, str) or value not in allowed:
            raise _wrong(self._prefix + key, f"must be one of {', '.join(allowed)}")
        return value

    def number(self, key: str, *, low: float, high: float, default: float | None = None) -> float:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        return self._number(key, value, low, high)

    def optional_number(self, key: str, default: float | None, *, low: float, high: float) -> float | None:
        value = self._take(key)
        if value is _MISSING:
            return default
        return None if value is None else self._number(key, value, low, high)

    def integer(self, key: str, *, low: int, high: int, default: int | None = None) -> int:
        value = self._take(key)
        if value is _MISSING and default is not None:
            return default
        return self._integer(key, value, low, high)

    def optional_integer(self, key: str, *, low: int, high: int) -> int | None:
        value = self._take(key)
        return None if value is None or value is _MISSING else self._integer(key, value, low, high)

    def _integer(self, key: str, value: object, low: int, high: int) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _wrong(self._prefix + key, f"must be a whole number from {low} to {high}")
        return value

    def _number(self, key: str, value: object, low: float, high: float) -> float:
        if value is _MISSING:
            raise _wrong(self._prefix + key, "is missing")
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not math.isfinite(cast(float, value)) or not low <= cast(float, value) <= high:
            span = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise _wrong(self._prefix + key, f"must be a number {span}")
        return float(cast(float, value))
