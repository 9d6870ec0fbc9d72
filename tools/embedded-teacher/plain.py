"""Two plain statistics that say what no measure against an original can: how much a photo shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from distortions import Picture

LUMA = (0.299, 0.587, 0.114)
LAPLACIAN = ((0, 1, 0), (1, -4, 1), (0, 1, 0))
# A photo may be dark by a fault of exposure; brighter than mid-grey is no virtue.
MID_GREY = 127.5
# What is sharper than nine in ten photos without faults is no sharper photo: it has noise.
SHARPEST = 0.9
# Both tell of the place rather than of the photo where a picture has few pixels: there they count less.
FULL_WEIGHT = 150_000


def sharpness(picture: Picture) -> float:
    """2 ln(1 + e) - ln(1 + e2), without its upper bound.

    e is the RMS of the Laplacian of the luma in 0..255 (a focus measure: Pech-Pacheco et al., ICPR 2000), e2
    the same at half the size. So it is energy and its slope over an octave, which S3 multiplies (Vu, Phan and
    Chandler, IEEE Trans. Image Processing 21(3), 2012).
    """
    y = picture @ np.array(LUMA)
    height, width = (n // 2 for n in y.shape)
    half = y[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean((1, 3))
    return 2 * energy(y) - energy(half)


def energy(y: NDArray[np.float64]) -> float:
    return float(np.log1p(np.sqrt(np.mean(ndimage.laplace(y)[1:-1, 1:-1] ** 2))))


def light(picture: Picture) -> float:
    """Mean luma in 0..255, at most mid-grey."""
    return min(float((picture @ np.array(LUMA)).mean()), MID_GREY)


def plain(picture: Picture) -> list[float]:
    """Sharpness, light and how many pixels they come from."""
    return [sharpness(picture), light(picture), float(picture.shape[0] * picture.shape[1])]
