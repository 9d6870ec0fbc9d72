"""Scores image quality with a student that LEAF exported: ONNX Runtime, NumPy and Pillow, no PyTorch."""

from leaf_iqa.card import Card, StudentError, read_card
from leaf_iqa.datasets import add_scores
from leaf_iqa.metric import Metric, create_metric
from leaf_iqa.picture import Image, ImageError
from leaf_iqa.student import Judgement, Student, load

__version__ = "0.1.0"
__all__ = [
    "Card",
    "Image",
    "ImageError",
    "Judgement",
    "Metric",
    "Student",
    "StudentError",
    "add_scores",
    "create_metric",
    "load",
    "read_card",
]
