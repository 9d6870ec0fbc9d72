"""Distortions of a photo region with a strength u in (0, 1]: 0 would leave it as it is, 1 is severe.

Pictures are uint8 arrays [H, W, 3] in sRGB. Each ladder is spread so that equal steps of u
are roughly equal steps of quality.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft, ndimage, signal

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Distortion = Callable[[Picture, float, np.random.Generator], Picture]


def to_picture(x: NDArray[np.floating]) -> Picture:
    """Rounds and clips to uint8."""
    return np.asarray(np.clip(np.rint(x), 0, 255), np.uint8)


def between(low: float, high: float, u: float) -> float:
    """Geometric interpolation."""
    return float(low * (high / low) ** u)


def luma(x: NDArray[np.floating]) -> Floats:
    return (x @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)


def encoded(x: Picture, form: str, **options: int | list[int] | str) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(x).save(buffer, form, **options)
    return np.asarray(Image.open(buffer).convert("RGB"))


def filtered(x: NDArray[np.generic], kernel: Floats) -> Floats:
    """Convolution of each plane; outside, the picture goes on as in a mirror."""
    edge = len(kernel) // 2
    padded = np.pad(x.astype(np.float32), ((edge, edge), (edge, edge), (0, 0)), "symmetric")
    return np.asarray(signal.fftconvolve(padded, kernel[..., None], "valid", axes=(0, 1)), np.float32)


def convolved(x: Picture, kernel: Floats) -> Picture:
    planes = [ndimage.convolve(x[..., c].astype(np.float32), kernel, mode="reflect") for c in range(3)]
    return to_picture(np.stack(planes, -1))


def smoothed(x: NDArray[np.generic], sigma: float) -> Floats:
    return np.asarray(ndimage.gaussian_filter(x.astype(np.float32), (sigma, sigma, 0), mode="reflect"))


def gaussian_blur(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return to_picture(smoothed(x, between(0.45, 5, u)))


def motion_blur(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    length, angle = between(2, 24, u), rng.uniform(0, np.pi)
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    for t in np.linspace(-length / 2, length / 2, 8 * size):
        row, column = size // 2 + t * np.sin(angle), size // 2 + t * np.cos(angle)
        r, c = int(np.clip(np.floor(row), 0, size - 2)), int(np.clip(np.floor(column), 0, size - 2))
        fr, fc = row - r, column - c
        kernel[r : r + 2, c : c + 2] += np.outer([1 - fr, fr], [1 - fc, fc]).astype(np.float32)
    kernel = np.maximum(kernel, 0)
    return convolved(x, kernel / kernel.sum())


def defocus(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return convolved(x, disc(between(0.8, 8, u)))


def disc(radius: float) -> Floats:
    """What an ideal lens makes of a point out of focus."""
    size = int(np.ceil(radius))
    rows, columns = np.mgrid[-size : size + 1, -size : size + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), np.float32)


def misfocus(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Focus in the wrong plane: blur that grows across the picture, as with a tilted ground."""
    height, width = x.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    place = (rows * np.sin(angle) + columns * np.cos(angle)) / np.sqrt(2) * 0.5 + 0.5
    blurred = filtered(x, disc(between(1.2, 14, u)))
    share = np.clip(place * rng.uniform(1, 2.5), 0, 1)[..., None]
    return to_picture(x * (1 - share) + blurred * share)


def shake(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """A hand that trembles: the path of a point bends."""
    steps = 200
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.uniform(0.02, 0.15), steps))
    path = np.stack([np.cumsum(np.sin(turn)), np.cumsum(np.cos(turn))]) * (between(3, 36, u) / steps)
    path -= path.mean(1, keepdims=True)
    size = int(np.ceil(np.abs(path).max())) + 1
    kernel = np.zeros((2 * size + 1, 2 * size + 1))
    for row, column in path.T + size:
        r, c = int(row), int(column)
        kernel[r : r + 2, c : c + 2] += np.outer([1 - row + r, row - r], [1 - column + c, column - c])
    return to_picture(filtered(x, np.asarray(kernel / kernel.sum(), np.float32)))


def low_light(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Few photons in linear light (shot and read noise), amplified, and still too dark."""
    linear = (x / 255.0) ** 2.2
    photons = between(1500, 12, u)
    seen = rng.poisson(linear * photons) / photons + rng.normal(0, 1.5 / photons, x.shape)
    dark = 2 ** -rng.uniform(0, 0.5 + 3 * u)
    return to_picture(255 * np.clip(seen * dark, 0, 1) ** (1 / 2.2))


def phone(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Noise, a local Wiener filter (colour smoothed more), sharpening and JPEG: smeared, crisp texture."""
    sigma = between(5, 60, u)
    noisy = x + sigma * rng.standard_normal(x.shape).astype(np.float32)
    y = luma(noisy)
    mean = ndimage.uniform_filter(y, 7)
    variance = np.maximum(ndimage.uniform_filter(y * y, 7) - mean**2, 1e-3)
    clean = mean + np.maximum(variance - 1.5 * (0.67 * sigma) ** 2, 0) / variance * (y - mean)
    colour = smoothed(noisy - y[..., None], 1.5 + 2 * u)
    sharp = clean + rng.uniform(0.4, 1.6) * (clean - ndimage.gaussian_filter(clean, 1.2))
    return encoded(to_picture(sharp[..., None] + colour), "JPEG", quality=80)


def jpeg(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return encoded(x, "JPEG", quality=round(between(92, 4, u)))


def webp(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return encoded(x, "WEBP", quality=round(92 * (1 - u)), method=2)


def jpeg2000(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return encoded(x, "JPEG2000", quality_mode="rates", quality_layers=[round(between(5, 150, u))])


def avif(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return encoded(x, "AVIF", quality=round(between(85, 3, u)), speed=9)


def white_noise(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    noise = rng.standard_normal((*x.shape[:2], 1 if rng.random() < 0.4 else 3))
    return to_picture(x + between(2, 70, u) * noise)


def chroma_noise(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    noise = smoothed(rng.standard_normal(x.shape), rng.choice([0.01, 0.8]))
    noise /= noise.std()
    return to_picture(x + between(4, 80, u) * (noise - luma(noise)[..., None]))


def impulse_noise(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    out, hit = x.copy(), rng.random(x.shape[:2]) < between(0.001, 0.25, u)
    out[hit] = np.where(rng.random((int(hit.sum()), 1)) < 0.5, 0, 255)
    return out


def shot_noise(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    peak = between(400, 2.5, u)
    return to_picture(rng.poisson(x / 255 * peak) * (255 / peak))


def denoised(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Noise, then an over-strong median and Gaussian filter: smeared texture with blotches."""
    noisy = white_noise(x, 0.3 + 0.6 * u, rng)
    median = ndimage.median_filter(noisy, (3 if u < 0.5 else 5,) * 2 + (1,))
    return to_picture(smoothed(median, 0.3 + 0.9 * u))


def resampled(x: Picture, u: float, down: Image.Resampling, up: Image.Resampling) -> Picture:
    height, width = x.shape[:2]
    factor = between(1.3, 8, u)
    small = Image.fromarray(x).resize((max(4, round(width / factor)), max(4, round(height / factor))), down)
    return np.asarray(small.resize((width, height), up))


def resample_nearest(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return resampled(x, u, Image.Resampling.NEAREST, Image.Resampling.NEAREST)


def resample_bicubic(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return resampled(x, u, Image.Resampling.BICUBIC, Image.Resampling.BICUBIC)


def pixelate(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return resampled(x, u, Image.Resampling.BOX, Image.Resampling.NEAREST)


def posterise(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    levels = between(40, 2.6, u)
    return to_picture(np.rint(x / 255 * (levels - 1)) * (255 / (levels - 1)))


def banding(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Coarse steps of the luma only; colour stays continuous."""
    y, step = luma(x.astype(np.float32)), between(5, 70, u)
    return to_picture(x + (np.rint(y / step) * step - y)[..., None])


def contrast(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    gain = between(0.9, 0.12, u) if rng.random() < 0.6 else between(1.15, 4, u)
    mean = x.mean()
    return to_picture((x - mean) * gain + mean)


def exposure(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """A gain in linear light, so that highlights clip or shadows sink."""
    stops = between(0.25, 3.5, u) * (1 if rng.random() < 0.5 else -1)
    linear = (x / 255.0) ** 2.2 * 2**stops
    return to_picture(255 * np.clip(linear, 0, 1) ** (1 / 2.2))


def saturation(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    gain = 1 - (0.15 + 0.85 * u) if rng.random() < 0.4 else between(1.3, 6, u)
    y = luma(x.astype(np.float32))[..., None]
    return to_picture(y + (x - y) * gain)


def colour_shift(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    shift = rng.standard_normal(3)
    shift -= shift.mean()
    return to_picture(x + between(6, 80, u) * shift / np.abs(shift).max())


def block_loss(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    out, size = x.copy(), int(rng.choice([8, 16]))
    height, width = x.shape[:2]
    # As many as in a region of 192 px, for each such area.
    for _ in range(max(1, round(between(1, 90, u) * (16 / size) * (height * width / 192**2)))):
        r, c = (int(rng.integers(0, n // size)) * size for n in (height, width))
        from_r, from_c = int(rng.integers(0, height - size)), int(rng.integers(0, width - size))
        grey = rng.random() < 0.5
        out[r : r + size, c : c + size] = 128 if grey else x[from_r : from_r + size, from_c : from_c + size]
    return out


def oversharpen(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    return to_picture(x + between(0.6, 12, u) * (x - smoothed(x, rng.uniform(0.8, 2))))


def haze(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    t = between(0.92, 0.15, u)
    return to_picture(x * t + rng.uniform(190, 245) * (1 - t))


def ringing(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """An ideal low-pass filter: blur with ripples along edges."""
    height, width = x.shape[:2]
    padded = np.pad(x.astype(np.float32), ((height // 2,) * 2, (width // 2,) * 2, (0, 0)), "reflect")
    spectrum = fft.rfft2(padded, axes=(0, 1))
    radius = np.hypot(fft.fftfreq(padded.shape[0])[:, None], fft.rfftfreq(padded.shape[1])[None])
    spectrum *= (radius < between(0.42, 0.035, u))[..., None]
    filtered = fft.irfft2(spectrum, padded.shape[:2], axes=(0, 1))
    return to_picture(filtered[height // 2 : -(height // 2), width // 2 : -(width // 2)][:height, :width])


KINDS: dict[str, Distortion] = {
    f.__name__: f
    for f in (
        gaussian_blur, motion_blur, defocus, jpeg, webp, jpeg2000, avif, white_noise, chroma_noise,
        impulse_noise, shot_noise, denoised, resample_nearest, resample_bicubic, pixelate, posterise, banding,
        contrast, exposure, saturation, colour_shift, block_loss, oversharpen, haze, ringing,
    )
}  # fmt: skip
# Faults of taking a photo, for the second edition.
CAPTURE: dict[str, Distortion] = {f.__name__: f for f in (misfocus, shake, low_light, phone)}


def mixture(
    x: Picture, u: float, rng: np.random.Generator, kinds: dict[str, Distortion] = KINDS
) -> tuple[Picture, str]:
    """Two or three kinds one after another, each weaker than alone; says which."""
    names = [str(n) for n in rng.choice(list(kinds), int(rng.integers(2, 4)), replace=False)]
    for name in names:
        x = kinds[name](x, min(1.0, u * rng.uniform(0.3, 0.9)), rng)
    return x, "+".join(names)
