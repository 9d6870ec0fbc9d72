"""A photo's way through a camera and a program, with faults at several stages."""

from __future__ import annotations

import numpy as np

from distortions import CAPTURE, KINDS, Picture

ALL = KINDS | CAPTURE
# In this order: how likely, as which kind, how strong beside other kinds.
STAGES: tuple[tuple[float, tuple[str, ...], float], ...] = (
    (0.5, ("defocus", "misfocus", "shake", "motion_blur"), 1),
    (0.35, ("exposure", "low_light", "low_light"), 1),
    (0.3, ("phone", "denoised", "shot_noise"), 0.8),
    (0.3, ("haze", "contrast", "saturation", "colour_shift"), 1),
    (0.25, ("resample_bicubic",), 0.7),
    (0.2, ("oversharpen",), 0.6),
    (0.6, ("jpeg", "jpeg", "webp", "avif"), 1),
)


def camera(x: Picture, u: float, rng: np.random.Generator) -> Picture:
    """Some faults of taking, developing, scaling and storing a photo, at least one."""
    seen = False
    while not seen:
        for share, names, strength in STAGES:
            if rng.random() >= share:
                continue
            name = names[0] if len(names) == 1 else str(rng.choice(list(names)))
            x = ALL[name](x, min(1.0, u * rng.uniform(0.15, 1.1)) * strength, rng)
            seen = True
    return x
