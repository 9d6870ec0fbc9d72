"""Of src/protocol/schema/teacher.ts, by `npm run contract`: do not edit."""

from typing import Annotated, Literal

from msgspec import Meta

from leaf.contract import Loose, Strict

Filled = Annotated[str, Meta(pattern=r"^[^\0]+$")]
Count = Annotated[int, Meta(ge=0, le=9007199254740991)]


class ImagePart(Strict, frozen=True, kw_only=True, tag_field="type", tag="image"):
    image: Literal[0, 1]


class TextPart(Strict, frozen=True, kw_only=True, tag_field="type", tag="text"):
    text: Filled


PromptPart = ImagePart | TextPart


class Prompts(Strict, frozen=True, kw_only=True):
    point: list[PromptPart]
    pair: list[PromptPart]
    reason: list[PromptPart]
    words: Annotated[list[Filled], Meta(min_length=5, max_length=5)]
    letters: tuple[Filled, Filled]
    tie: Filled | None
    prefill: Filled | None


Side = Annotated[int, Meta(ge=1, le=65536)]


class Open(Strict, frozen=True, kw_only=True, tag_field="type", tag="open"):
    v: Literal[1]
    model: Filled
    local: bool
    revision: Filled | None
    device: Literal["auto", "cpu", "cuda", "mps"]
    dtype: Literal["auto", "bfloat16", "float16", "float32"]
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto"
    quantize: Literal["none", "4bit"]
    attention: Literal["auto", "flash", "sdpa", "eager"]
    batch: Annotated[int, Meta(ge=1, le=4096)]
    feature_memory: Annotated[int, Meta(ge=0, le=1099511627776)]
    max_tiles: Annotated[int, Meta(ge=1, le=64)] | None = None
    prompts: Prompts


Antonyms = tuple[Filled, Filled]


class OpenContrastive(Strict, frozen=True, kw_only=True, tag_field="type", tag="openContrastive"):
    v: Literal[1]
    model: Filled
    local: bool
    revision: Filled | None
    device: Literal["auto", "cpu", "cuda", "mps"]
    dtype: Literal["auto", "bfloat16", "float16", "float32"]
    batch: Annotated[int, Meta(ge=1, le=4096)]
    antonyms: Annotated[list[Antonyms], Meta(min_length=1)]


class Measure(Strict, frozen=True, kw_only=True, tag_field="type", tag="measure"):
    v: Literal[1]
    model: Filled
    local: bool
    revision: Filled | None
    max_tiles: Annotated[int, Meta(ge=1, le=64)] | None = None
    prompts: Prompts
    sizes: Annotated[list[tuple[Side, Side]], Meta(min_length=1)]


Images = Annotated[list[Filled], Meta(min_length=1)]


class Points(Strict, frozen=True, kw_only=True, tag_field="type", tag="points"):
    v: Literal[1]
    id: Count
    images: Images


class Pairs(Strict, frozen=True, kw_only=True, tag_field="type", tag="pairs"):
    v: Literal[1]
    id: Count
    pairs: Annotated[list[tuple[Filled, Filled]], Meta(min_length=1)]
    orders: Literal["both", "one"]


class Explain(Strict, frozen=True, kw_only=True, tag_field="type", tag="explain"):
    v: Literal[1]
    id: Count
    images: Images


class Inspect(Strict, frozen=True, kw_only=True, tag_field="type", tag="inspect"):
    v: Literal[1]
    id: Count
    images: Annotated[Images, Meta(max_length=2)]


class Image(Strict, frozen=True, kw_only=True, tag_field="type", tag="image"):
    v: Literal[1]
    image: Filled
    width: Side
    height: Side
    pixels: Filled


class Unreadable(Strict, frozen=True, kw_only=True, tag_field="type", tag="unreadable"):
    v: Literal[1]
    image: Filled
    reason: Filled


TeacherRequest = Open | OpenContrastive | Measure | Points | Pairs | Explain | Inspect | Image | Unreadable
Mass = Annotated[float, Meta(ge=0)]
Masses = Annotated[list[Mass], Meta(min_length=2, max_length=3)]


class TeacherAnswer(Loose, frozen=True):
    """One of those below."""


class Refusal(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    reason: str


class Rating(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    masses: Annotated[list[Mass], Meta(min_length=5, max_length=5)]


class Preference(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    ab: Masses
    ba: Masses | None


class Reason(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    text: str


class TopToken(Loose, frozen=True, kw_only=True):
    token: str
    probability: float


class NamedAnswer(Loose, frozen=True, kw_only=True):
    answer: str
    tokens: list[str]
    probability: float


class Inspection(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    rendered: str
    prefill: str | None
    top: list[TopToken]
    answers: list[NamedAnswer]
    mass: float


class Fit(TeacherAnswer, frozen=True, kw_only=True):
    ok: bool
    first: Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(min_length=1)]


class Hello(Loose, frozen=True, kw_only=True, tag_field="type", tag="hello"):
    v: Literal[1]
    model: str
    commit: str | None
    device: str
    device_name: str
    dtype: str
    quantize: str
    attention: str
    features: Literal["reused", "plain"]
    why_plain: str | None
    thinking: str | None
    torch: str
    transformers: str


class HelloContrastive(Loose, frozen=True, kw_only=True, tag_field="type", tag="helloContrastive"):
    v: Literal[1]
    model: str
    commit: str | None
    device: str
    device_name: str
    dtype: str
    sees: Literal["whole", "processor"]


class Need(Loose, frozen=True, kw_only=True, tag_field="type", tag="need"):
    v: Literal[1]
    id: Count
    images: list[str]


class Tokens(Loose, frozen=True, kw_only=True, tag_field="type", tag="tokens"):
    v: Literal[1]
    images: list[Count]
    point: Count
    pair: Count
    reason: Count


class Answer(Loose, frozen=True, kw_only=True, tag_field="type", tag="answer"):
    v: Literal[1]
    id: Count
    answers: list[TeacherAnswer]


class Failure(Loose, frozen=True, kw_only=True, tag_field="type", tag="error"):
    v: Literal[1]
    id: Count | None
    code: str
    message: str
    remedy: str | None


TeacherMessage = Hello | HelloContrastive | Need | Tokens | Answer | Failure
