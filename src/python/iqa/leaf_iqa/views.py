"""What a student sees of a picture. The same sizes and windows as `src/engine/images/views.ts` of LEAF."""

from math import ceil

import numpy as np

from leaf_iqa.card import Card
from leaf_iqa.resample import Pixels, resize

most_native_whole = 1024
"""The short side at which a whole picture is scored that the student takes at its native size."""


def windows(picture: Pixels, card: Card) -> Pixels:
    """uint8 [height, width, 3] as the student's input [n, height, width, 3]: whole, or a window or five."""
    picture = _trimmed(picture, card)
    scaled, kept = _sizes(_size(picture), card)
    if scaled != picture.shape[:2]:
        picture = resize(picture, width=scaled[1], height=scaled[0])
    picture = _middle(picture, kept)
    if card.views == "whole":
        return picture[None]
    bottom, right = kept[0] - card.crop, kept[1] - card.crop
    corners = [(bottom // 2, right // 2)]
    if card.views == 5:
        corners += [(0, 0), (0, right), (bottom, 0), (bottom, right)]
    return np.stack([picture[y : y + card.crop, x : x + card.crop] for y, x in corners])


Size = tuple[int, int]


def part_of_jpeg(size: Size, card: Card) -> tuple[int, Size]:
    """At which part a JPEG of (height, width) is decoded (8, 4, 2 or 1), and its size after resizing."""
    scaled, kept = _sizes(size, card)
    shrink = min(length / to for length, to in zip(size, scaled, strict=True))
    if not card.scaled or any(to > 2 * shown for to, shown in zip(scaled, kept, strict=True)):
        return 1, scaled
    return next((part for part in (8, 4, 2) if shrink >= 2 * part), 1), scaled


def _sizes(size: Size, card: Card) -> tuple[Size, Size]:
    """(height, width) after resizing, and of the middle that is kept of it."""
    height, width = size
    short, whole = min(height, width), card.views == "whole"
    most = card.resize or (most_native_whole if whole else short)
    target = max(min(short, most) if whole else most, card.crop)
    limit = 2 * max(most, card.crop) if whole else max(2 * (card.resize or 2 * card.crop), card.crop)

    def side(length: int) -> int:
        return max(target, int(length * target / short + 0.5))

    scaled = (height, width) if target == short else (side(height), side(width))
    return scaled, (min(scaled[0], limit), min(scaled[1], limit))


def _trimmed(picture: Pixels, card: Card) -> Pixels:
    """A long strip loses most of what would be cut off anyway, before it is resized."""
    scaled, kept = _sizes(_size(picture), card)

    def keep(length: int, to: int, shown: int) -> int:
        return min(length, ceil(length * shown * 1.5 / to)) if to > 2 * shown else length

    height, width = (keep(*sides) for sides in zip(picture.shape[:2], scaled, kept, strict=True))
    return _middle(picture, (height, width))


def _size(picture: Pixels) -> Size:
    return picture.shape[0], picture.shape[1]


def _middle(picture: Pixels, size: Size) -> Pixels:
    top, left = (picture.shape[0] - size[0]) // 2, (picture.shape[1] - size[1]) // 2
    return picture[top : top + size[0], left : left + size[1]]
