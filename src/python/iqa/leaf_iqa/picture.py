"""Files, Pillow images and arrays as 8-bit sRGB: upright, transparency over white, the first frame."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as pil
from PIL import ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from leaf_iqa.card import Card
from leaf_iqa.resample import Pixels, resize
from leaf_iqa.views import part_of_jpeg

Image = str | os.PathLike[str] | pil.Image | NDArray[np.uint8]
"""A path, a Pillow image, or uint8 [height, width], [height, width, 3] (RGB) or [height, width, 4] (RGBA)."""

most_pixels = 268_000_000
"""Larger files are refused before they are decoded."""


class ImageError(ValueError):
    """An image that cannot be scored; the message has its name and the reason."""


def picture(image: Image, name: str | None = None, card: Card | None = None) -> Pixels:
    """An image as uint8 [height, width, 3]; a JPEG file may be scaled already, where the card says so.

    Raises ImageError.
    """
    name = name or _name(image)
    try:
        if isinstance(image, np.ndarray):
            return _of_array(image)
        if isinstance(image, pil.Image):
            return _of_pillow(image)
        return _of_file(Path(image), card)
    except ImageError as error:
        raise ImageError(f"{name}: {error}") from error.__cause__
    except (OSError, ValueError, TypeError, SyntaxError, pil.DecompressionBombError) as error:
        raise ImageError(f"{name}: it cannot be decoded ({error})") from error


def _name(image: Image) -> str:
    if isinstance(image, (str, os.PathLike)):
        return os.fspath(image)
    return getattr(image, "filename", "") or type(image).__name__


def _of_file(path: Path, card: Card | None) -> Pixels:
    if not path.is_file():
        raise ImageError("there is no such file")
    with pil.open(path) as image:
        if image.width * image.height > most_pixels:
            raise ImageError(f"too many pixels: {image.width} x {image.height}")
        small = _scaled(image, card) if card and isinstance(image, JpegImageFile) else None
        return _of_pillow(image) if small is None else small


_orientation = 0x0112
_turns = {
    2: pil.Transpose.FLIP_LEFT_RIGHT,
    3: pil.Transpose.ROTATE_180,
    4: pil.Transpose.FLIP_TOP_BOTTOM,
    5: pil.Transpose.TRANSPOSE,
    6: pil.Transpose.ROTATE_270,
    7: pil.Transpose.TRANSVERSE,
    8: pil.Transpose.ROTATE_90,
}


def _scaled(image: JpegImageFile, card: Card) -> Pixels | None:
    """The picture at its size for the network, decoded at a part of its own; None where that is all of it."""
    turn = image.getexif().get(_orientation, 1)
    width, height = image.size
    part, size = part_of_jpeg((width, height) if turn in (5, 6, 7, 8) else (height, width), card)
    if part == 1 or image.mode not in ("L", "RGB"):
        return None
    image.draft(image.mode, (width // part, height // part))
    # libvips, which LEAF decodes with, drops what is left of a last row and column.
    whole = np.asarray(_in_srgb(image).convert("RGB"))[: height // part, : width // part]
    small = resize(whole, *(size if turn in (5, 6, 7, 8) else size[::-1]))
    return np.asarray(pil.fromarray(small).transpose(_turns[turn])) if turn in _turns else small


def _of_pillow(image: pil.Image) -> Pixels:
    upright = _in_srgb(ImageOps.exif_transpose(image))
    if upright.mode in ("I;16", "I;16B", "I;16L", "I;16N"):
        high = (np.asarray(upright) >> 8).astype(np.uint8)
        return np.repeat(high[:, :, None], 3, axis=2)
    if upright.mode in ("I", "F", "CMYK", "LAB", "HSV"):
        raise ImageError(
            f"pictures of mode {upright.mode} are not read alike everywhere: convert it to 8-bit RGB"
        )
    if upright.has_transparency_data:
        return _over_white(np.asarray(upright.convert("RGBA")))
    return np.asarray(upright.convert("RGB"))


def _in_srgb(image: pil.Image) -> pil.Image:
    """By the picture's own colour profile; one that cannot be read counts as none, as in LEAF."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK", "RGBA"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        intent = ImageCms.Intent.PERCEPTUAL
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colours = image.convert("RGB") if alpha else image
        converted = ImageCms.profileToProfile(
            colours, source, ImageCms.createProfile("sRGB"), renderingIntent=intent, outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted


def _over_white(rgba: NDArray[np.uint8]) -> Pixels:
    colour, alpha = rgba[:, :, :3].astype(np.int32), rgba[:, :, 3:].astype(np.int32)
    return ((colour * alpha + 255 * (255 - alpha)) // 255).astype(np.uint8)


def _of_array(array: NDArray[Any]) -> Pixels:
    if array.dtype != np.uint8:
        raise ImageError(f"an array of {array.dtype}, not of uint8 (0 to 255)")
    if array.ndim == 2:
        array = np.repeat(array[:, :, None], 3, axis=2)
    if array.ndim != 3 or array.shape[2] not in (3, 4) or 0 in array.shape:
        raise ImageError(
            f"an array of shape {array.shape}, not [height, width], [height, width, 3] or [..., 4]"
        )
    return _over_white(array) if array.shape[2] == 4 else array
