"""Of src/protocol/schema/trainer.ts, by `npm run contract`: do not edit."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from leaf.contract import Loose, Strict

Filled = Annotated[str, Meta(pattern=r"^[^\0]+$")]
Text = Annotated[str, Meta(max_length=20000)]
Count = Annotated[int, Meta(ge=0, le=9007199254740991)]
Share = Annotated[float, Meta(ge=0, le=1)]
AtLeast0 = Annotated[float, Meta(ge=0)]
Phase = Literal["load", "train", "validate", "export"]
ErrorCode = Literal["nan", "oom", "input", "environment", "failed"]


class Agreement(Loose, frozen=True, kw_only=True):
    n: Count
    srcc: float | None
    plcc: float | None
    rmse: UnsetType | float | None = UNSET


class DomainFacts(Loose, frozen=True, kw_only=True):
    threshold: Annotated[float, Meta(gt=0)]
    quantile: Share
    fitted: Count
    held_out: Count
    shrinkage: Share


class Level(Loose, frozen=True, kw_only=True):
    name: Text
    channels: Annotated[int, Meta(ge=1, le=1000000)]
    stride: Annotated[int, Meta(ge=1, le=4096)]
    mean: Count
    sd: Count | None


class Levels(Loose, frozen=True, kw_only=True):
    dim: Annotated[int, Meta(ge=1, le=1000000)]
    eps: Annotated[float, Meta(gt=0)]
    parts: Annotated[list[Level], Meta(min_length=1, max_length=64)]


class NewStudent(Strict, frozen=True, kw_only=True):
    model: Filled
    crop: Annotated[int, Meta(ge=16, le=4096)]
    views: Literal["whole", 1, 5]
    backbone: Annotated[None, Meta(extra={"must": "is for calibrate only"})]


class CalibratedStudent(Strict, frozen=True, kw_only=True):
    model: Filled
    crop: Annotated[int, Meta(ge=16, le=4096)]
    views: Literal["whole", 1, 5]
    backbone: Filled | None


TargetName = Annotated[str, Meta(min_length=1, max_length=60)]


class Rates(Strict, frozen=True, kw_only=True):
    backbone: AtLeast0
    head: AtLeast0


class DistillLoss(Strict, frozen=True, kw_only=True):
    point: AtLeast0
    pair: AtLeast0
    temperature: Annotated[float, Meta(ge=0.000001)] = 1
    huber_delta: Annotated[float, Meta(ge=0.000001)] = 1


class DistillTarget(Strict, frozen=True, kw_only=True):
    name: TargetName
    labels: Filled
    temperature: Annotated[float, Meta(ge=0.000001)]


class CalibrateLoss(Strict, frozen=True, kw_only=True):
    mse: AtLeast0
    plcc: AtLeast0
    teacher: AtLeast0 = 0


class DistillJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="distill"):
    v: Literal[1]
    out: Filled
    resume: bool
    seed: Count
    device: Literal["auto", "cpu", "cuda", "mps"]
    threads: Annotated[int, Meta(ge=1, le=1024)] | None
    workers: Annotated[int, Meta(ge=1, le=256)] | None = None
    cache: Filled
    rows: Filled
    domain: Filled | None = None
    epochs: Annotated[int, Meta(ge=1, le=100000)]
    batch: Annotated[int, Meta(ge=1, le=1000000)]
    micro_batch: Annotated[int, Meta(ge=1, le=1000000)] | None = None
    lr: Rates
    weight_decay: AtLeast0
    layer_decay: Annotated[float, Meta(ge=0.01, le=1)] = 1
    warmup: Share
    clip: AtLeast0 | None
    ema: Annotated[float, Meta(ge=0, le=0.999999)] | None
    amp: Literal["auto", "off"]
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    keep: Literal["best", "last"]
    head_only: bool
    affine_init: bool = True
    student: NewStudent
    labels: Annotated[Filled, Meta(extra={"must": "is required for distill"})]
    targets: UnsetType | Annotated[list[DistillTarget], Meta(min_length=1, max_length=15)] = UNSET
    loss: DistillLoss


NoLabels = Annotated[None, Meta(extra={"must": "is for distill only: calibrate reads human scores"})]


class CalibrateJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="calibrate"):
    v: Literal[1]
    out: Filled
    resume: bool
    seed: Count
    device: Literal["auto", "cpu", "cuda", "mps"]
    threads: Annotated[int, Meta(ge=1, le=1024)] | None
    workers: Annotated[int, Meta(ge=1, le=256)] | None = None
    cache: Filled
    rows: Filled
    domain: Filled | None = None
    epochs: Annotated[int, Meta(ge=1, le=100000)]
    batch: Annotated[int, Meta(ge=1, le=1000000)]
    micro_batch: Annotated[int, Meta(ge=1, le=1000000)] | None = None
    lr: Rates
    weight_decay: AtLeast0
    layer_decay: Annotated[float, Meta(ge=0.01, le=1)] = 1
    warmup: Share
    clip: AtLeast0 | None
    ema: Annotated[float, Meta(ge=0, le=0.999999)] | None
    amp: Literal["auto", "off"]
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    keep: Literal["best", "last"]
    head_only: bool
    affine_init: bool = True
    student: CalibratedStudent
    targets: UnsetType | Annotated[list[TargetName], Meta(min_length=1, max_length=15)] = UNSET
    labels: NoLabels = None
    teacher: Filled | None = None
    loss: CalibrateLoss


TrainerJob = DistillJob | CalibrateJob


class Hello(Loose, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    v: Literal[1]
    python: Text
    torch: Text
    device: Text
    device_name: Text
    world_size: Count
    amp: Literal["bf16", "fp16", "off"]


class Notice(Loose, frozen=True, kw_only=True, tag_field="type", tag="notice"):
    v: Literal[1]
    message: Text
    remedy: Text | None


class Progress(Loose, frozen=True, kw_only=True, tag_field="type", tag="progress"):
    v: Literal[1]
    phase: Phase
    epoch: Count
    epochs: Count
    step: Count
    steps: Count
    images_per_s: float | None


class Metrics(Loose, frozen=True, kw_only=True, tag_field="type", tag="metrics"):
    v: Literal[1]
    epoch: Count
    step: Count
    loss: float
    parts: dict[Annotated[str, Meta(max_length=80)], float | None]
    lr: float
    val: Agreement | None
    targets: UnsetType | dict[TargetName, Agreement] = UNSET
    images_per_s: float


class Checkpoint(Loose, frozen=True, kw_only=True, tag_field="type", tag="checkpoint"):
    v: Literal[1]
    epoch: Count
    path: Text


class Done(Loose, frozen=True, kw_only=True, tag_field="type", tag="done"):
    v: Literal[1]
    epochs: Count
    best_epoch: Count
    duration_s: Annotated[float, Meta(ge=0)]
    onnx: Text
    export_max_difference: float
    val: Agreement | None
    targets: UnsetType | dict[TargetName, Agreement] = UNSET
    parameters: Count
    domain: DomainFacts | None
    levels: Levels


class Failure(Loose, frozen=True, kw_only=True, tag_field="type", tag="error"):
    v: Literal[1]
    code: ErrorCode
    message: Text
    remedy: Text | None


TrainerMessage = Hello | Notice | Progress | Metrics | Checkpoint | Done | Failure
