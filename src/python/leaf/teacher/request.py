"""Lines from the engine. Strict: an unknown key or a wrong value is one sentence naming the key."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from leaf.errors import TrainerError
from leaf.reader import Reader

SUBJECT = "Message to the teacher"
MAX_SIDE = 1 << 16


@dataclass(frozen=True)
class ImagePart:
    """Place of the first (0) or second (1) image in a question."""

    image: int


Part = ImagePart | str


@dataclass(frozen=True)
class Prompts:
    point: tuple[Part, ...]
    pair: tuple[Part, ...]
    reason: tuple[Part, ...]
    words: tuple[str, ...]
    """From best to worst."""
    letters: tuple[str, str]
    tie: str | None
    prefill: str | None


@dataclass(frozen=True)
class Open:
    model: str
    local: bool
    """The model is a folder: nothing is asked of the hub."""
    revision: str | None
    device: str
    dtype: str
    quantize: str
    attention: str
    batch: int
    feature_memory: int
    """Bytes."""
    prompts: Prompts


@dataclass(frozen=True)
class Ask:
    """One call: `sets` holds the images of each question, one or two of them."""

    kind: str
    id: int
    sets: tuple[tuple[str, ...], ...]
    orders: str = "both"


@dataclass(frozen=True)
class Picture:
    image: str
    size: tuple[int, int]
    """Width and height."""
    pixels: bytes
    """Interleaved 8-bit sRGB."""


@dataclass(frozen=True)
class Unreadable:
    image: str
    reason: str


Request = Open | Ask | Picture | Unreadable


def parse(line: bytes) -> Request:
    """Raises TrainerError("input") with one sentence."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TrainerError("input", f"{SUBJECT}: not valid JSON ({type(error).__name__}).") from error
    reader = Reader(value, SUBJECT)
    reader.integer("v", low=1, high=1)
    kind = reader.choice("type", ("open", "points", "pairs", "explain", "inspect", "image", "unreadable"))
    request = _READ[kind](reader, kind)
    reader.end()
    return request


def _open(reader: Reader, _kind: str) -> Open:
    prompts = reader.child("prompts")
    words = prompts.texts("words", count=5)
    first, second = prompts.texts("letters", count=2)
    asked = Prompts(
        point=_question(prompts, "point", images=1),
        pair=_question(prompts, "pair", images=2),
        reason=_question(prompts, "reason", images=1),
        words=tuple(words),
        letters=(first, second),
        tie=prompts.text("tie", None),
        prefill=prompts.text("prefill", None),
    )
    prompts.end()
    return Open(
        model=reader.required_text("model"),
        local=reader.boolean("local", False),
        revision=reader.text("revision", None),
        device=reader.choice("device", ("auto", "cpu", "cuda", "mps"), "auto"),
        dtype=reader.choice("dtype", ("auto", "bfloat16", "float16", "float32"), "auto"),
        quantize=reader.choice("quantize", ("none", "4bit"), "none"),
        attention=reader.choice("attention", ("auto", "flash", "sdpa", "eager"), "auto"),
        batch=reader.integer("batch", low=1, high=4096),
        feature_memory=reader.integer("featureMemory", low=0, high=1 << 40) << 20,
        prompts=asked,
    )


def _question(reader: Reader, key: str, images: int) -> tuple[Part, ...]:
    parts: list[Part] = []
    for value in reader.array(key):
        part = Reader(value, SUBJECT, f"prompts.{key}.")
        if part.choice("type", ("text", "image")) == "image":
            parts.append(ImagePart(part.integer("image", low=0, high=images - 1)))
        else:
            parts.append(part.required_text("text"))
        part.end()
    shown = [part.image for part in parts if isinstance(part, ImagePart)]
    if shown != list(range(images)):
        raise reader.wrong(key, f"must show {'one image' if images == 1 else 'two images in their order'}")
    return tuple(parts)


def _images(reader: Reader, kind: str) -> Ask:
    images = reader.texts("images")
    if not images:
        raise reader.wrong("images", "must not be empty")
    return Ask(kind, _id(reader), tuple((image,) for image in images))


def _inspect(reader: Reader, kind: str) -> Ask:
    images = reader.texts("images")
    if len(images) not in (1, 2):
        raise reader.wrong("images", "must be one or two")
    return Ask(kind, _id(reader), (tuple(images),))


def _pairs(reader: Reader, kind: str) -> Ask:
    pairs = reader.array("pairs")
    good = [pair for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    if not pairs or len(good) != len(pairs) or not all(isinstance(x, str) and x for p in good for x in p):
        raise reader.wrong("pairs", "must be a list of pairs of images")
    orders = reader.choice("orders", ("both", "one"))
    return Ask(kind, _id(reader), tuple((a, b) for a, b in good), orders)


def _id(reader: Reader) -> int:
    return reader.integer("id", low=0, high=2**53)


def _picture(reader: Reader, _kind: str) -> Picture:
    image = reader.required_text("image")
    width = reader.integer("width", low=1, high=MAX_SIDE)
    height = reader.integer("height", low=1, high=MAX_SIDE)
    try:
        pixels = base64.b64decode(reader.required_text("pixels"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise reader.wrong("pixels", "must be base64") from error
    if len(pixels) != width * height * 3:
        raise reader.wrong("pixels", f"must be {width} x {height} x 3 bytes")
    return Picture(image, (width, height), pixels)


def _unreadable(reader: Reader, _kind: str) -> Unreadable:
    return Unreadable(reader.required_text("image"), reader.required_text("reason"))


_READ: dict[str, Callable[[Reader, str], Request]] = {
    "open": _open,
    "points": _images,
    "explain": _images,
    "inspect": _inspect,
    "pairs": _pairs,
    "image": _picture,
    "unreadable": _unreadable,
}
