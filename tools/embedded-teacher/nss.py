"""The baseline: the 36 natural-scene statistics of BRISQUE (Mittal, Moorthy & Bovik, IEEE TIP 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from distortions import Floats, Picture, luma

SHAPES = np.arange(0.2, 10, 0.002)
RATIOS = special.gamma(2 / SHAPES) ** 2 / (special.gamma(1 / SHAPES) * special.gamma(3 / SHAPES))


def asymmetric(x: Floats) -> tuple[float, float, float]:
    """Shape, left and right deviation of an asymmetric generalised Gaussian, by moments."""
    left = float(np.sqrt(np.mean(x[x < 0] ** 2))) if (x < 0).any() else 1e-3
    right = float(np.sqrt(np.mean(x[x > 0] ** 2))) if (x > 0).any() else 1e-3
    g = left / right
    r = np.abs(x).mean() ** 2 / (x * x).mean().clip(1e-9) * (g**3 + 1) * (g + 1) / (g * g + 1) ** 2
    return float(SHAPES[np.argmin((RATIOS - r) ** 2)]), left, right


def nss(picture: Picture) -> NDArray[np.float64]:
    x = luma(picture.astype(np.float32))
    out: list[float] = []
    for scale in range(2):
        if scale:
            x = ndimage.zoom(x, 0.5, order=1)
        mean = ndimage.gaussian_filter(x, 7 / 6)
        deviation = np.sqrt(np.maximum(ndimage.gaussian_filter(x * x, 7 / 6) - mean**2, 0))
        m = (x - mean) / (deviation + 1)
        shape, left, right = asymmetric(m)
        out += [shape, (left**2 + right**2) / 2]
        for pair in (m[:, :-1] * m[:, 1:], m[:-1] * m[1:], m[:-1, :-1] * m[1:, 1:], m[:-1, 1:] * m[1:, :-1]):
            shape, left, right = asymmetric(pair)
            out += [
                shape,
                (right - left) * float(special.gamma(2 / shape) / special.gamma(1 / shape)),
                left**2,
                right**2,
            ]
    return np.array(out)
