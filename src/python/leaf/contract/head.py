"""Of src/protocol/schema/head.ts, by `npm run contract`: do not edit."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from leaf.contract import Loose, Strict

Filled = Annotated[str, Meta(pattern=r"^[^\0]+$")]
Text = Annotated[str, Meta(max_length=20000)]
Count = Annotated[int, Meta(ge=0, le=9007199254740991)]
NetworkName = Literal["distilled", "pretrained"]
ErrorCode = Literal["nan", "oom", "input", "environment", "failed"]


class Agreement(Loose, frozen=True, kw_only=True):
    n: Count
    srcc: float | None
    plcc: float | None
    rmse: UnsetType | float | None = UNSET


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


TargetName = Annotated[str, Meta(min_length=1, max_length=60)]


class HeadNetwork(Strict, frozen=True, kw_only=True):
    name: NetworkName
    onnx: Filled
    features: Filled
    levels: Levels
    scored: bool
    beside: UnsetType | Annotated[list[TargetName], Meta(min_length=1, max_length=15)] = UNSET


class FurtherHead(Strict, frozen=True, kw_only=True):
    name: TargetName
    rows: Filled


class FitJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="fit"):
    v: Literal[1]
    out: Filled
    threads: Annotated[int, Meta(ge=1, le=1024)] | None
    networks: Annotated[list[HeadNetwork], Meta(min_length=1, max_length=2)]
    rows: Filled
    teacher: UnsetType | Filled = UNSET
    targets: UnsetType | Annotated[list[FurtherHead], Meta(min_length=1, max_length=15)] = UNSET


class BackboneJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="backbone"):
    v: Literal[1]
    out: Filled
    threads: Annotated[int, Meta(ge=1, le=1024)] | None
    model: Filled
    crop: Annotated[int, Meta(ge=16, le=4096)]
    views: Literal["whole", 1, 5]


HeadJob = FitJob | BackboneJob


class Block(Loose, frozen=True, kw_only=True):
    name: Text
    width: Count
    share: Annotated[float, Meta(ge=0, le=1)]


class Candidate(Loose, frozen=True, kw_only=True):
    networks: list[NetworkName]
    log_evidence: float
    srcc: float | None


class LeftOut(Loose, frozen=True, kw_only=True):
    n: Count
    srcc: float | None
    plcc: float | None
    rmse: float | None
    ci95: tuple[float, float] | None
    within: tuple[float, float]


class Refined(Loose, frozen=True, kw_only=True):
    images: Count
    share: Annotated[float, Meta(ge=0, le=1)]


class HeadFacts(Loose, frozen=True, kw_only=True):
    networks: list[NetworkName]
    blocks: list[Block]
    penalty: Annotated[float, Meta(ge=0)]
    noise: Annotated[float, Meta(ge=0)]
    ratings: Count
    cv: LeftOut
    candidates: list[Candidate]
    refined: UnsetType | Refined = UNSET


class FittedHead(Loose, frozen=True, kw_only=True):
    name: TargetName
    facts: HeadFacts
    predictions: Text


class HeadDone(Loose, frozen=True, kw_only=True, tag_field="type", tag="fitted"):
    v: Literal[1]
    duration_s: Annotated[float, Meta(ge=0)]
    onnx: Text
    parameters: Count
    facts: HeadFacts
    folds: list[Agreement]
    predictions: Text
    targets: UnsetType | list[FittedHead] = UNSET


class BackboneDone(Loose, frozen=True, kw_only=True, tag_field="type", tag="exported"):
    v: Literal[1]
    duration_s: Annotated[float, Meta(ge=0)]
    onnx: Text
    export_max_difference: float
    parameters: Count
    levels: Levels
    torch: Text


class Failure(Loose, frozen=True, kw_only=True, tag_field="type", tag="error"):
    v: Literal[1]
    code: ErrorCode
    message: Text
    remedy: Text | None


HeadMessage = HeadDone | BackboneDone | Failure
