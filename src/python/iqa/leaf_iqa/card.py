"""`student.json`: how a student sees a picture, and on which scale it scores. No other place says it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Views = Literal["whole", 1, 5]


class StudentError(ValueError):
    """A folder that holds no student which this package can use."""


@dataclass(frozen=True)
class Card:
    """What of `student.json` scoring needs."""

    resize: int | None
    """Pixels of the short side after resizing; None keeps the size."""
    crop: int
    """Side of a window in pixels."""
    views: Views
    """`whole`: the picture in one pass; 1: its centre; 5: the centre and the corners."""
    scaled: bool
    """Whether a JPEG is decoded at a part of its size where that is twice what is needed."""
    scale: tuple[float, float]
    """Lowest and highest score: of the human scores, or 1 and 5 before calibration."""
    lower_is_better: bool
    calibrated: bool
    threshold: float | None
    """An image is unlike the training images where its distance is above this; None: unknown."""
    raw: dict[str, Any]
    """The whole document."""

    def reported(self, score: float) -> float:
        """A score on 1..5 (5 is best) on this student's scale; linear, and nothing is cut off."""
        share = (score - 1) / 4
        low, high = self.scale
        return low + (high - low) * (1 - share if self.lower_is_better else share)

    def reported_sd(self, sd: float) -> float:
        """A standard deviation on 1..5 on this student's scale."""
        return sd * (self.scale[1] - self.scale[0]) / 4


def read_card(folder: Path) -> Card:
    """Reads `student.json` of a folder. Raises StudentError with the file and what is wrong with it."""
    file = folder / "student.json"
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudentError(f"There is no student in {folder}: {file.name} is missing.") from None
    except (OSError, ValueError) as error:
        raise StudentError(f"{file} cannot be read: {error}") from error
    if not isinstance(raw, dict) or raw.get("v") != 1:
        raise StudentError(f"{file} is of another version of LEAF: update leaf-iqa.")
    try:
        return _card_of(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise StudentError(f"{file} does not describe a student: {error!r}") from error


def _card_of(raw: dict[str, Any]) -> Card:
    seen, mos, domain = raw["input"], raw["mosScale"], raw.get("domain")
    resize, crop, views = seen["resize"], int(seen["crop"]), seen["views"]
    if seen.get("decode", "scaled") != "scaled":
        raise ValueError(f"input {seen}")
    if views not in ("whole", 1, 5) or crop < 1 or (resize is not None and int(resize) < 1):
        raise ValueError(f"input {seen}")
    low, high = (float(end) for end in (mos["range"] if mos else (1, 5)))
    if not low < high:
        raise ValueError(f"range {low}, {high}")
    return Card(
        resize=None if resize is None else int(resize),
        crop=crop,
        views=views,
        scaled="decode" in seen,
        scale=(low, high),
        lower_is_better=bool(mos and mos["lowerIsBetter"]),
        calibrated=mos is not None,
        threshold=float(domain["threshold"]) if domain else None,
        raw=raw,
    )
