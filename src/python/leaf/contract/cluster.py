"""Of src/protocol/schema/cluster.ts, by `npm run contract`: do not edit."""

from typing import Annotated, Literal

from msgspec import Meta

from leaf.contract import Loose, Strict

Filled = Annotated[str, Meta(pattern=r"^[^\0]+$")]
Text = Annotated[str, Meta(max_length=20000)]
Count = Annotated[int, Meta(ge=0, le=9007199254740991)]
ErrorCode = Literal["nan", "oom", "input", "environment", "failed"]
TargetName = Annotated[str, Meta(min_length=1, max_length=60)]


class ImageSource(Strict, frozen=True, kw_only=True):
    kind: Literal["list", "table", "url"]
    at: Filled


class ScoreJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="score"):
    v: Literal[1]
    address: Filled | None
    workers: Annotated[int, Meta(ge=1, le=100000)] | None
    cpus: Annotated[int, Meta(ge=1, le=1024)]
    leaf: Annotated[list[Filled], Meta(min_length=1, max_length=8)]
    out: Filled
    student: Filled
    fingerprint: Filled
    targets: Annotated[list[TargetName], Meta(max_length=15)]
    sources: Annotated[list[ImageSource], Meta(min_length=1, max_length=1000)]
    endings: Annotated[list[Filled], Meta(min_length=1, max_length=100)]


class LabelJob(Strict, frozen=True, kw_only=True, tag_field="kind", tag="label"):
    v: Literal[1]
    address: Filled | None
    workers: Annotated[int, Meta(ge=1, le=100000)] | None
    cpus: Annotated[int, Meta(ge=1, le=1024)]
    leaf: Annotated[list[Filled], Meta(min_length=1, max_length=8)]
    gpus: Annotated[float, Meta(ge=0, le=64)]
    ahead: Annotated[int, Meta(ge=1, le=4096)]


ClusterJob = ScoreJob | LabelJob


class Started(Loose, frozen=True, kw_only=True, tag_field="type", tag="started"):
    v: Literal[1]
    workers: Count
    nodes: Count


class Progress(Loose, frozen=True, kw_only=True, tag_field="type", tag="progress"):
    v: Literal[1]
    done: Count
    total: Count | None


class Scored(Loose, frozen=True, kw_only=True, tag_field="type", tag="scored"):
    v: Literal[1]
    scored: Count
    failed: Count
    known: Count
    seconds: Annotated[float, Meta(ge=0)]


class Answer(Loose, frozen=True, kw_only=True, tag_field="type", tag="answer"):
    v: Literal[1]
    id: Count
    line: str


class Failure(Loose, frozen=True, kw_only=True, tag_field="type", tag="error"):
    v: Literal[1]
    code: ErrorCode
    message: Text
    remedy: Text | None


ClusterMessage = Started | Progress | Scored | Answer | Failure


class ClusterQuestion(Strict, frozen=True, kw_only=True):
    v: Literal[1]
    id: Count
    line: str
