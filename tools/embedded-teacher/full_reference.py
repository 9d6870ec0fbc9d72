"""Full-reference quality of a distorted picture, from four measures that differ in kind, after the papers.

VIFp: Sheikh & Bovik, Image information and visual quality, IEEE TIP 2006 (pixel domain, four scales).
GMSD: Xue et al., Gradient magnitude similarity deviation, IEEE TIP 2014.
MDSI: Nafchi et al., Mean deviation similarity index, IEEE Access 2016 (gradients and two colour channels).
Colour: mean CIE 1976 Lab difference after a slight blur, the idea of S-CIELAB (Zhang & Wandell, 1997).
MS-SSIM and its kin are left out on purpose: they serve as truth elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from distortions import Floats, Picture, luma, smoothed

MEASURES = ("vif", "gmsd", "mdsi", "colour")
WEIGHTS = np.array([1, 1, 1, 0.5])


def vifp(a: Floats, b: Floats) -> float:
    """Visual information fidelity of luma b given reference a, 0..1 (more than 1 where contrast grew)."""
    kept, total = information(a, b)
    return kept / total if total > 0 else 1.0


def information(a: Floats, b: Floats) -> tuple[float, float]:
    """Bits a pixel that luma b still tells of reference a, and bits a pixel of the reference.

    The first is the information fidelity criterion (Sheikh, Bovik & de Veciana, IEEE TIP 2005). It differs
    between photos too: a plain or dark one has less to tell.
    """
    kept = total = 0.0
    pixels = a.size
    for scale in range(4):
        sigma = (2 ** (4 - scale) + 1) / 5
        if scale:
            a, b = (ndimage.gaussian_filter(x, sigma)[::2, ::2] for x in (a, b))
        mean_a, mean_b = (ndimage.gaussian_filter(x, sigma) for x in (a, b))
        var_a = np.maximum(ndimage.gaussian_filter(a * a, sigma) - mean_a**2, 0)
        var_b = np.maximum(ndimage.gaussian_filter(b * b, sigma) - mean_b**2, 0)
        both = ndimage.gaussian_filter(a * b, sigma) - mean_a * mean_b
        gain = np.maximum(both / (var_a + 1e-6), 0)
        gain[var_a < 1e-6] = 0
        rest = np.maximum(var_b - gain * both, 1e-6)
        kept += float(np.log2(1 + gain**2 * var_a / (rest + 2)).sum())
        total += float(np.log2(1 + var_a / 2).sum())
    return kept / pixels, total / pixels


def gradient(x: NDArray[np.floating]) -> Floats:
    """Prewitt gradient magnitude."""
    kernel = np.array([[1, 0, -1]] * 3, np.float32) / 3
    gx, gy = ndimage.convolve(x, kernel), ndimage.convolve(x, kernel.T)
    return np.asarray(np.hypot(gx, gy), np.float32)


def gmsd(a: Floats, b: Floats) -> float:
    """Deviation of gradient similarity, 0 for equal pictures; half resolution as in the paper."""
    ga, gb = (gradient(ndimage.uniform_filter(x, 2)[::2, ::2]) for x in (a, b))
    return float(((2 * ga * gb + 170) / (ga**2 + gb**2 + 170)).std())


def mdsi(a: Floats, b: Floats) -> float:
    """Mean deviation similarity index of RGB pictures, 0 for equal ones (summation form, alpha = .6)."""
    matrix = np.array([[0.2989, 0.3, 0.34], [0.587, 0.04, -0.6], [0.114, -0.35, 0.17]], np.float32)
    pa, pb = a @ matrix, b @ matrix
    ga, gb, gf = gradient(pa[..., 0]), gradient(pb[..., 0]), gradient((pa[..., 0] + pb[..., 0]) / 2)
    edges = (2 * ga * gb + 140) / (ga**2 + gb**2 + 140)
    edges += (2 * ga * gf + 55) / (ga**2 + gf**2 + 55) - (2 * gb * gf + 55) / (gb**2 + gf**2 + 55)
    ha, ma, hb, mb = pa[..., 1], pa[..., 2], pb[..., 1], pb[..., 2]
    colour = (2 * (ha * hb + ma * mb) + 550) / (ha**2 + hb**2 + ma**2 + mb**2 + 550)
    root = (0.6 * edges + 0.4 * colour).astype(np.complex64) ** 0.25
    return float(np.abs(root - root.mean()).mean() ** 0.25)


def lab(x: NDArray[np.floating]) -> Floats:
    """CIE Lab (D65) of sRGB 0..255."""
    s = x / 255
    linear = np.where(s <= 0.04045, s / 12.92, ((s + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ to_xyz.T / np.array([0.95047, 1, 1.08883])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    channels = [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])]
    return np.stack(channels, -1).astype(np.float32)


def measures(reference: Picture, distorted: Picture) -> NDArray[np.float64]:
    """The four measures as badness: each 0 for equal pictures and growing."""
    a, b = reference.astype(np.float32), distorted.astype(np.float32)
    difference = np.linalg.norm(lab(smoothed(a, 1.0)) - lab(smoothed(b, 1.0)), axis=-1).mean()
    ya, yb = luma(a), luma(b)
    return np.array([1 - min(1.0, vifp(ya, yb)), gmsd(ya, yb), mdsi(a, b), float(difference)])


def pseudo_scores(
    badness: NDArray[np.float64], tables: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores on 1..5 for rows of measures, and the quantile tables that define them: of these rows, or given.

    Each measure is put on its own quantile scale, so that none dominates by its units; their weighted mean is
    put on its quantile scale again, so that scores are uniform on 1..5. Undistorted pictures come out near 5.
    """
    grid = np.linspace(0, 1, 101)
    quantiles = np.quantile(badness, grid, axis=0) if tables is None else tables
    ranks = [np.interp(badness[:, k], quantiles[:, k], grid) for k in range(badness.shape[1])]
    mean = np.stack(ranks, 1) @ WEIGHTS / WEIGHTS.sum()
    table = np.quantile(mean, grid) if tables is None else tables[:, -1]
    return 5 - 4 * np.interp(mean, table, grid), np.column_stack([quantiles[:, : len(MEASURES)], table])
