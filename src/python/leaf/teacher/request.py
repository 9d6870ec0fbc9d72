"""Lines from the engine. Strict: an unknown key or a wrong value is one sentence naming the key."""

import base64
import binascii
from dataclasses import dataclass

from leaf.contract import teacher as contract
from leaf.contract.teacher import ImagePart, Measure, Open, OpenContrastive, PromptPart, Unreadable
from leaf.reader import decode, read, wrong

SUBJECT = "Message to the teacher"


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


Request = Open | OpenContrastive | Measure | Ask | Picture | Unreadable


def parse(line: bytes) -> Request:
    """Raises TrainerError("input") with one sentence."""
    request: contract.TeacherRequest = read(decode(line, SUBJECT), contract.TeacherRequest, SUBJECT)
    match request:
        case contract.Points(id=id, images=images):
            return Ask("points", id, tuple((image,) for image in images))
        case contract.Explain(id=id, images=images):
            return Ask("explain", id, tuple((image,) for image in images))
        case contract.Inspect(id=id, images=images):
            return Ask("inspect", id, (tuple(images),))
        case contract.Pairs(id=id, pairs=pairs, orders=orders):
            return Ask("pairs", id, tuple(pairs), orders)
        case contract.Image():
            return _picture(request)
        case Open(prompts=prompts) | Measure(prompts=prompts):
            _check_images("point", prompts.point, 1)
            _check_images("pair", prompts.pair, 2)
            _check_images("reason", prompts.reason, 1)
    return request


def _check_images(key: str, parts: list[PromptPart], images: int) -> None:
    shown = [part.image for part in parts if isinstance(part, ImagePart)]
    if shown != list(range(images)):
        words = "one image" if images == 1 else "two images in their order"
        raise wrong(SUBJECT, f"prompts.{key}", f"must show {words}")


def _picture(sent: contract.Image) -> Picture:
    try:
        pixels = base64.b64decode(sent.pixels, validate=True)
    except (binascii.Error, ValueError) as error:
        raise wrong(SUBJECT, "pixels", "must be base64") from error
    if len(pixels) != sent.width * sent.height * 3:
        raise wrong(SUBJECT, "pixels", f"must be {sent.width} x {sent.height} x 3 bytes")
    return Picture(sent.image, (sent.width, sent.height), pixels)
