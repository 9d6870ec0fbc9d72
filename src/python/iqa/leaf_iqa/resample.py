"""Resizing of 8-bit pictures as LEAF's engine does it, to the last bit.

This is the integer arithmetic of libvips 8.18, which sharp calls. Smaller: where a side shrinks by 4 or more,
boxes of whole pixels are averaged first; then a Lanczos kernel of 3 lobes (position rounded to 1/64 pixel,
weights to 1/4096), rows before columns. Larger: Catmull-Rom with the same roundings, columns before rows.
LEAF's tests compare it with sharp.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Value = TypeVar("Value", bound=np.generic)
_steps = 64
"""Positions within a pixel."""
_one = 4096
"""The weight 1."""


def resize(picture: Pixels, width: int, height: int) -> Pixels:
    """A picture [height, width, channels] at another size; both sides grow, or both shrink."""
    rows, columns = picture.shape[:2]
    if height < rows:
        picture = _shrink(picture, height)
    if width < columns:
        picture = _swap(_shrink(_swap(picture), width))
    if width > columns or height > rows:
        grown = picture.astype(np.int32)
        if width > columns:
            grown = _swap(_enlarge(_swap(grown), width))
        if height > rows:
            grown = _enlarge(grown, height)
        picture = np.clip(grown, 0, 255).astype(np.uint8)
    return picture


def _swap(picture: NDArray[Value]) -> NDArray[Value]:
    return np.ascontiguousarray(picture.swapaxes(0, 1))


def _shrink(picture: Pixels, size: int) -> Pixels:
    length = picture.shape[0]
    factor = length / size
    # Kept from libvips: what rounding the size has invented moves the origin, halved on both sides.
    extra = size * factor - length
    box = int(length / size / 2)
    if box > 1:
        picture = _averaged(picture, box)
        factor /= box
        extra /= box
    taps = 2 * int(3 * factor + 0.5) + 1
    before = -(-taps // 2) - 1
    # Positions add up one by one, with the errors that this brings.
    start = 0.5 * factor - 0.5 - ((1 + extra) / 2 - 1)
    position = np.add.accumulate(np.concatenate([[start], np.full(size - 1, factor)]))
    first, part = _split(position)
    weights = np.stack([_lanczos(step / _steps, factor, taps) for step in range(_steps + 1)])[part]
    return np.clip(_weighed(picture, first - before, weights), 0, 255).astype(np.uint8)


def _averaged(picture: Pixels, box: int) -> Pixels:
    """Means of `box` rows; the last row stands in for those that are missing."""
    count = -(-picture.shape[0] // box)
    last = picture.shape[0] - 1
    sums = np.full((count, *picture.shape[1:]), box // 2, np.uint32)
    for at in range(box):
        sums += picture[np.minimum(np.arange(at, at + count * box, box), last)]
    sums *= np.uint32(2**32 // (256 * box))
    return (sums >> 24).astype(np.uint8)


def _lanczos(part: float, factor: float, taps: int) -> NDArray[np.int32]:
    x = (np.arange(taps) - (part + taps / 2 - 1)) / factor
    with np.errstate(divide="ignore", invalid="ignore"):
        wave = 3 * np.sin(np.pi * x) * np.sin(np.pi * x / 3) / (np.pi * np.pi * x * x)
    weights = np.where(np.abs(x) >= 3, 0, np.where(x == 0, 1, wave))
    whole: NDArray[np.int32] = np.trunc(weights / weights.sum() * _one).astype(np.int32)
    return whole


def _enlarge(picture: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    # Half a pixel is taken off the left edge, not off the centre: so libvips has it.
    position = np.arange(size) * (1 / (size / picture.shape[0])) - 0.5
    first, part = _split(position + 1)
    x = np.arange(_steps + 1)[:, None] / _steps
    catmull = [
        -0.5 * x * (1 - x) ** 2,
        1 - 2.5 * x**2 + 1.5 * x**3,
        0.5 * x + 2 * x**2 - 1.5 * x**3,
        -0.5 * x**2 * (1 - x),
    ]
    weights = np.trunc(np.concatenate(catmull, axis=1) * _one).astype(np.int32)[part]
    return _weighed(picture, first - 2, weights)


def _split(position: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The pixel, and the place in it in 1/64, rounded, up to 64 of them."""
    half = (position * (2 * _steps)).astype(np.int64)
    return position.astype(np.int64), ((half & (2 * _steps - 1)) + 1) >> 1


def _weighed(
    picture: NDArray[np.integer], first: NDArray[np.int64], weights: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Row i is the sum of rows first[i], first[i] + 1, … times weights[i]; beyond an edge its row goes on."""
    last = picture.shape[0] - 1
    total = np.full((len(first), *picture.shape[1:]), _one // 2, np.int32)
    for tap in range(weights.shape[1]):
        rows = picture[np.clip(first + tap, 0, last)]
        total += rows * weights[:, tap].reshape(-1, *[1] * (picture.ndim - 1))
    return total >> 12
