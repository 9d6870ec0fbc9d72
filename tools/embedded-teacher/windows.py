"""The windows by which the first edition saw a picture.

Without what was done to pictures smaller than a window or with a short side over 1000 px.
"""

from __future__ import annotations

import numpy as np

from distortions import Picture
from network import CROP

GRID = 3
LARGE_SIDE = 1000


def positions(length: int) -> list[int]:
    """Evenly spread starts of windows along one side; one window where a second would mostly repeat it."""
    room = length - CROP
    n = min(GRID, -(-length // CROP))
    if room < CROP / 4:
        return [room // 2]
    return [room * i // (n - 1) for i in range(n)]


def windows_of(picture: Picture) -> Picture:
    """[n, CROP, CROP, 3], row by row."""
    height, width = picture.shape[:2]
    if not CROP <= min(height, width) <= LARGE_SIDE:
        raise ValueError(f"picture of {width} x {height}")
    return np.stack(
        [picture[y : y + CROP, x : x + CROP] for y in positions(height) for x in positions(width)]
    )
